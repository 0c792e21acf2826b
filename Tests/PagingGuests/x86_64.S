// x86-64 with four or five levels. Entered in 32-bit protected mode (PVH), the program builds its own tables, which map
// physical memory from the first address of the root's last entry on, and switches to long mode. Every root gets that
// entry. Probes leave by IRETQ and return by an exception, or in kernel mode by a return.
//
// The request's mode: bit 0 for five levels, bit 1 for SMEP, bit 2 for SMAP.

    .set REQUEST, 0x108000000   // 4 GiB + 128 MiB
    .set USER_PAGE, 511 << 30   // the address of the user page, relative to the program's start

    .section .note.pvh, "a", @note
    .long 4, 4, 18              // XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long _start

    .section .text.start, "ax"
    .code32
    .globl _start
_start:
    cli
    movl $stack_end, %esp
    // Tables for the switch: four levels, all of memory identity-mapped.
    movl $boot_pdpt + 7, boot_root
    movl $boot_root, %eax
    movl %eax, %cr3
    movl $0x20, %eax            // PAE
    movl %eax, %cr4
    movl $0xC0000080, %ecx      // EFER: LME, NXE
    movl $0x900, %eax
    xorl %edx, %edx
    wrmsr
    movl $0x80010033, %eax      // PG, WP, NE, ET, MP, PE
    movl %eax, %cr0
    lgdt gdt_pointer
    ljmp $0x08, $read_mode
    .code64
read_mode:
    movq $REQUEST, %rax
    movl 16(%rax), %ebx         // the request's mode
    testl $1, %ebx
    jz go_high
    // LA57 changes only while paging is off, in compatibility mode.
    pushq $0x38
    pushq $leave_long
    lretq
    .code32
leave_long:
    movl $0x00010033, %eax
    movl %eax, %cr0
    movl $boot_root + 7, boot_root5
    movl $boot_pml4 + 7, boot_root5 + 511 * 8
    movl $boot_pdpt + 7, boot_pml4
    movl $boot_root5, %eax
    movl %eax, %cr3
    movl $0x1020, %eax          // LA57, PAE
    movl %eax, %cr4
    movl $0x80010033, %eax
    movl %eax, %cr0
    ljmp $0x08, $enter_five
    .code64
enter_five:
    movq $0xFFFF000000000000, %r12
    movq $boot_pml4 + 7, %rax
    jmp 1f
go_high:
    movq $0xFFFFFF8000000000, %r12
    movq $boot_pdpt + 7, %rax
    movq %rax, boot_root + 511 * 8
1:  movq %rax, kernel_entry
    movq %r12, kernel_start
    // The user page, at the end of the program's own range.
    movq $boot_pd + 7, %rax
    movq %rax, boot_pdpt + 511 * 8
    movq $boot_pt + 7, %rax
    movq %rax, boot_pd
    movq $user_page + 5, %rax
    movq %rax, boot_pt
    movq %cr3, %rax
    movq %rax, %cr3
    movq %cr4, %rax
    movl %ebx, %ecx
    andl $6, %ecx
    shll $19, %ecx              // SMEP is bit 20, SMAP bit 21
    orq %rcx, %rax
    movq %rax, %cr4
    leaq high(%rip), %rax
    addq %r12, %rax
    jmp *%rax
high:
    leaq stack_end(%rip), %rsp
    call machine_tables_build
    lgdt high_gdt_pointer(%rip)
    lidt idt_pointer(%rip)
    movl $0x28, %eax
    ltr %ax
    movl $0x10, %eax
    movl %eax, %ss
    call guest_main
1:  hlt
    jmp 1b

    .text
    .globl machine_root_write
machine_root_write:
    movq %rdi, %cr3
    ret

    // rdi: the probe; rsi: the outcome; r8: the address of user mode's page.
    .globl machine_probe_at
machine_probe_at:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, saved_stack(%rip)
    movq %rsi, saved_outcome(%rip)
    movq 0(%rdi), %rbx
    movq 8(%rdi), %rax
    movl 16(%rdi), %ecx
    movl 20(%rdi), %edx
    testl %edx, %edx
    jnz from_user
    cmpl $1, %ecx
    je 1f
    ja 2f
    movq (%rbx), %rax
    jmp finished
1:  movq %rax, (%rbx)
    jmp finished
2:  call *%rbx                  // the instructions load EAX and return
finished:
    movq saved_outcome(%rip), %rsi
    movq $0, 0(%rsi)
    movq %rax, 8(%rsi)
restore:
    movq saved_stack(%rip), %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret
from_user:
    leaq user_done - user_page(%r8), %r9
    movq %r9, user_return(%rip)
    leaq user_return - user_page(%r8), %r10
    leaq user_read - user_page(%r8), %r9
    cmpl $1, %ecx
    jb 1f
    leaq user_write - user_page(%r8), %r9
    je 1f
    movq %rbx, %r9
1:  pushq $0x1B                 // SS, RSP, RFLAGS, CS, RIP
    pushq %r10
    pushq $2
    pushq $0x23
    pushq %r9
    iretq

    .globl exception_stubs
    .balign 16
exception_stubs:
    .set vector, 0
    .rept 32
    .balign 16
    .if (vector != 8) && (vector != 10) && (vector != 11) && (vector != 12) && (vector != 13) && (vector != 14) \
        && (vector != 17)
    pushq $0
    .endif
    pushq $vector
    jmp caught
    .set vector, vector + 1
    .endr
caught:
    movq saved_outcome(%rip), %rsi
    movq $1, 0(%rsi)
    movq %rax, 8(%rsi)
    popq %rax
    popq %rcx
    shlq $8, %rcx
    orq %rcx, %rax
    movq %rax, 16(%rsi)         // the vector, and above it the error code
    movq %cr2, %rax
    movq %rax, 24(%rsi)
    jmp restore

    .data
    .balign 4096
user_page:
user_read:
    movq (%rbx), %rax
    jmp user_done
user_write:
    movq %rax, (%rbx)
user_done:
    int3
    .balign 8
user_return:
    .quad 0
    .balign 4096
boot_pdpt:
    .set gigabyte, 0
    .rept 511
    .quad (gigabyte << 30) + 0x83
    .set gigabyte, gigabyte + 1
    .endr
    .quad 0
    .globl gdt
gdt:
    .quad 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0x00CFF3000000FFFF, 0x00AFFB000000FFFF, 0, 0, 0x00CF9B000000FFFF
    .balign 8
    .word 0
gdt_pointer:
    .word 8 * 8 - 1
    .long gdt
    .balign 8
    .globl high_gdt_pointer, idt_pointer, kernel_entry, kernel_start, boot_root, boot_root5
    .skip 6
high_gdt_pointer:
    .word 8 * 8 - 1
    .quad 0
    .skip 6
idt_pointer:
    .word 32 * 16 - 1
    .quad 0
kernel_entry:
    .quad 0
kernel_start:
    .quad 0
saved_stack:
    .quad 0
saved_outcome:
    .quad 0
    .bss
    .balign 4096
boot_root:
    .skip 4096
boot_root5:
    .skip 4096
boot_pml4:
    .skip 4096
boot_pd:
    .skip 4096
boot_pt:
    .skip 4096
