# The way to Swift in 64-bit mode in the upper half, for the first processor and for the others.
#
# Two protocols enter at `boot_pvh` and `boot_multiboot`, both in 32-bit protected mode with paging off and EBX at the
# loader's information.

  .section .note.pvh, "a", @note
  .balign 4
  .long 4, 4, 18                  # sizes of name and description; XEN_ELFNOTE_PHYS32_ENTRY
  .asciz "Xen"
  .long boot_pvh

  .section .boot.text, "ax", @progbits
  .balign 8
multiboot_header:                 # Multiboot2 specification 2.0, 3.1
  .long 0xE85250D6, 0, multiboot_header_end - multiboot_header
  .long -(0xE85250D6 + multiboot_header_end - multiboot_header)
  .word 3, 0                      # where to enter
  .long 12, boot_multiboot
  .balign 8
  .word 0, 0
  .long 8
multiboot_header_end:

  .code32
  .globl boot_pvh
boot_pvh:
  xorl %eax, %eax
boot_multiboot:
  cli
  cld
  movl %ebx, %ebp                 # the information
  movl %eax, %esi                 # Multiboot's magic number, or 0

  movl $boot_tables, %edi         # the loader need not have cleared them
  xorl %eax, %eax
  movl $(7 * 4096 / 4), %ecx
  rep stosl
  # The first 4 GiB at 0 and at the direct map, and the first of them at the kernel's addresses.
  movl $(boot_level2 + 3), boot_tables
  movl $(boot_level2 + 3), boot_tables + 256 * 8
  movl $(boot_level2_image + 3), boot_tables + 511 * 8
  movl $(boot_level1 + 0x0003), boot_level2
  movl $(boot_level1 + 0x1003), boot_level2 + 8
  movl $(boot_level1 + 0x2003), boot_level2 + 16
  movl $(boot_level1 + 0x3003), boot_level2 + 24
  movl $(boot_level1 + 0x0003), boot_level2_image + 510 * 8
  movl $0x83, %eax                # present, writable, 2 MiB
  movl $boot_level1, %edi
  movl $2048, %ecx
1:movl %eax, (%edi)
  addl $0x200000, %eax
  addl $8, %edi
  loop 1b

  movl $0x6A0, %eax               # PAE, PGE, OSFXSR, OSXMMEXCPT
  movl %eax, %cr4
  movl $boot_tables, %eax
  movl %eax, %cr3
  movl $0xC0000080, %ecx          # EFER
  rdmsr
  orl $0x900, %eax                # LME, NXE
  wrmsr
  movl $0x80010033, %eax          # PG, WP, NE, ET, MP, PE
  movl %eax, %cr0
  lgdt boot_gdt_pointer
  ljmp $8, $boot_long

# Another processor, in real mode at a page below 1 MiB, to which Swift copied this. It goes to 64-bit mode at once.
  .code16
  .globl secondary_start, secondary_start_end
secondary_start:
  cli
  movl $0x6A0, %eax
  movl %eax, %cr4
  movl $boot_tables, %eax
  movl %eax, %cr3
  movl $0xC0000080, %ecx
  rdmsr
  orl $0x900, %eax
  wrmsr
  lgdtl %cs:(1f - secondary_start)
  movl $0x80010033, %eax
  movl %eax, %cr0
  ljmpl $8, $secondary_long
1:.word 23
  .long boot_gdt
secondary_start_end:

  .code64
boot_long:
  movabsq $first_upper, %rax
  jmp *%rax
secondary_long:
  movabsq $secondary_upper, %rax
  jmp *%rax

  .balign 8
boot_gdt: .quad 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF
boot_gdt_pointer: .word 23
  .long boot_gdt

  .section .boot.bss, "aw", @nobits
  .balign 4096
boot_tables: .skip 4096
boot_level2: .skip 4096
boot_level2_image: .skip 4096
boot_level1: .skip 4 * 4096

  .text
first_upper:
  leaq first_stack(%rip), %rsp
  # A task state for each of eight processors: its address is spread over its descriptor.
  leaq task_states(%rip), %rax
  leaq gdt_tasks(%rip), %rdi
  movl $8, %ecx
1:movq %rax, %rdx
  movl $0x67, (%rdi)
  movw %dx, 2(%rdi)
  shrq $16, %rdx
  movb %dl, 4(%rdi)
  movb $0x89, 5(%rdi)
  movb %dh, 7(%rdi)
  shrq $16, %rdx
  movl %edx, 8(%rdi)
  addq $16, %rdi
  addq $128, %rax
  loop 1b
  leaq first_trap_stack(%rip), %rax
  movq %rax, task_states + 36(%rip)
  call fill_interrupt_table
  xorl %edi, %edi
  call load_descriptors
  movl %ebp, %edi
  xorl %ebp, %ebp
  call kernel_main
  ud2

secondary_upper:
  movl $1, %edi
  lock xaddl %edi, secondary_number(%rip)
  cmpl secondary_limit(%rip), %edi
  jae 1f
  leaq secondary_stacks(%rip), %rax
  movq (%rax, %rdi, 8), %rsp
  movq secondary_root(%rip), %rax
  movq %rax, %cr3
  movl %edi, %ebx
  call load_descriptors
  movl %ebx, %edi
  xorl %ebp, %ebp
  call kernel_secondary
  ud2
1:cli                             # more processors than the kernel was told of
  hlt
  jmp 1b

# load_descriptors(number in EDI): segments, task state and interrupt table of this processor.
load_descriptors:
  leaq gdt_pointer(%rip), %rax
  lgdt (%rax)
  popq %rdx
  pushq $8
  pushq %rdx
  movl $16, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  xorl %eax, %eax
  movl %eax, %fs
  movl %eax, %gs
  shll $4, %edi
  addl $0x28, %edi
  ltr %di
  lidt interrupt_table_pointer(%rip)
  lretq

  .data
  .balign 8
gdt:
  .quad 0
  .quad 0x00AF9B000000FFFF        # 08: the kernel's code
  .quad 0x00CF93000000FFFF        # 10: the kernel's data
  .quad 0x00CFF3000000FFFF        # 18: user data
  .quad 0x00AFFB000000FFFF        # 20: user code
gdt_tasks: .skip 8 * 16           # 28: task states
gdt_pointer: .word gdt_pointer - gdt - 1
  .quad gdt
  .balign 8
  .globl secondary_number, secondary_limit
secondary_number: .long 1
secondary_limit: .long 1

  .bss
  .balign 128
  .globl task_states, secondary_stacks, secondary_root
task_states: .skip 8 * 128
secondary_stacks: .skip 8 * 8
secondary_root: .skip 8
  .balign 16
  .skip 65536
first_stack:
  .skip 16384
first_trap_stack:
