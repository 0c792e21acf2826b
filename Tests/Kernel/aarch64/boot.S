// The way to Swift in the upper half, for the first processor and for the others.
//
// QEMU passes the device tree to what looks like a Linux image (Linux, Documentation/arm64/booting.rst): at EL1, paging
// off, the tree's address in X0.
  .section .boot.text, "ax", @progbits
  .globl image_header
image_header:
  b first_start
  nop
  .quad 0x200000                  // offset from a multiple of 2 MiB
  .quad image_end - 0xFFFFFFFF40200000
  .quad 0xA                       // 4 KiB granule, anywhere in memory
  .quad 0, 0, 0
  .ascii "ARM\x64"
  .long 0

first_start:
  mov x19, x0
  // The first 4 GiB of memory at its own address; 0 to 8 GiB at the direct map, the first of them device registers; the
  // first GiB of memory at the kernel's addresses.
  adr x0, boot_lower
  adr x1, boot_lower_level2
  orr x2, x1, #3
  str x2, [x0]
  ldr x3, =0x40000701             // block, inner shareable, accessed, attribute 0
  str x3, [x1, #8]
  adr x4, boot_upper
  adr x5, boot_upper_level2
  orr x2, x5, #3
  str x2, [x4]
  adr x6, boot_image_level2
  orr x2, x6, #3
  str x2, [x4, #(511 * 8)]
  str x3, [x6, #(509 * 8)]
  mov x2, #0x40D                  // block, accessed, attribute 3
  str x2, [x5], #8
  mov x7, #7
  mov x8, #0x40000000
1:str x3, [x5], #8
  add x3, x3, x8
  subs x7, x7, #1
  b.ne 1b
  bl start_translation
  ldr x0, =first_upper
  br x0

  .globl secondary_start
secondary_start:                  // X0 its number
  mov x19, x0
  bl start_translation
  ldr x0, =secondary_upper
  br x0

start_translation:
  msr daifset, #15
  mov x0, #(3 << 20)              // vector registers
  msr cpacr_el1, x0
  ldr x0, =0x044444FF             // AArch64Format.memoryAttributes
  msr mair_el1, x0
  ldr x0, tcr_value
  msr tcr_el1, x0
  adr x0, boot_lower
  msr ttbr0_el1, x0
  adr x0, boot_upper
  msr ttbr1_el1, x0
  tlbi vmalle1
  dsb nsh
  isb
  mrs x0, sctlr_el1
  mov x1, #0x1005                 // translation, data cache, instruction cache
  orr x0, x0, x1
  msr sctlr_el1, x0
  isb
  ret
  .balign 8
// Both halves: 48 bits, 4 KiB granule, write-back walks, inner shareable. 40-bit physical addresses.
tcr_value: .quad 16 | 1 << 8 | 1 << 10 | 3 << 12 | 16 << 16 | 1 << 24 | 1 << 26 | 3 << 28 | 2 << 30 | 2 << 32
  .ltorg

  .section .boot.bss, "aw", @nobits
  .balign 4096
boot_lower: .skip 4096
boot_lower_level2: .skip 4096
boot_upper: .skip 4096
boot_upper_level2: .skip 4096
boot_image_level2: .skip 4096

  .text
first_upper:
  ldr x0, =image_bss
  ldr x1, =image_end
1:str xzr, [x0], #8
  cmp x0, x1
  b.lo 1b
  ldr x1, =first_stack
  ldr x2, =first_trap_stack
  mov x0, #0
  bl take_place
  mov x0, x19
  bl kernel_main
  brk #0

secondary_upper:
  ldr x0, =secondary_kernel_root
  ldr x0, [x0]
  msr ttbr1_el1, x0
  ldr x0, =secondary_root
  ldr x0, [x0]
  msr ttbr0_el1, x0
  isb
  tlbi vmalle1
  dsb nsh
  isb
  ldr x1, =secondary_stacks
  ldr x1, [x1, x19, lsl #3]
  ldr x2, =secondary_trap_stacks
  ldr x2, [x2, x19, lsl #3]
  mov x0, x19
  bl take_place
  mov x0, x19
  bl kernel_secondary
  brk #0

// take_place(number, stack, trap stack): code runs on SP_EL0, traps on SP_EL1.
take_place:
  msr tpidr_el1, x0
  msr spsel, #1
  mov sp, x2
  msr spsel, #0
  mov sp, x1
  ldr x0, =vectors
  msr vbar_el1, x0
  isb
  mov x29, #0
  ret
  .ltorg

  .bss
  .balign 16
  .globl secondary_stacks, secondary_trap_stacks, secondary_root, secondary_kernel_root
secondary_stacks: .skip 8 * 8
secondary_trap_stacks: .skip 8 * 8
secondary_root: .skip 8
secondary_kernel_root: .skip 8
  .skip 65536
first_stack:
  .skip 16384
first_trap_stack:
