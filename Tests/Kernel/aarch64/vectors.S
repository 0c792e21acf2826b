// Exceptions, interrupts, and the way into user mode and back.
//
// The kernel and user programs both run on SP_EL0, traps on SP_EL1. So a trap has a stack even when the kernel's is used
// up. Traps run with interrupts disabled: none interrupts another.

  .set FRAME, 784                 // X0 to X30, ELR, SPSR, a gap, Q0 to Q31

  .text
  .balign 2048
  .globl vectors
vectors:
  .set kind, 0
  .rept 16
  .balign 128
  sub sp, sp, #FRAME
  stp x0, x1, [sp]
  mov x0, #kind
  b trap
  .set kind, kind + 1
  .endr

  .balign 4
trap:
  mrs x1, esr_el1
  stp x2, x3, [sp, #16]
  lsr x2, x1, #26
  cmp x2, #0x15                   // SVC, whose syndrome an interrupt leaves in place
  b.ne 1f
  cmp x0, #8                      // from user mode, synchronous
  b.eq user_call
1:stp x4, x5, [sp, #32]
  stp x6, x7, [sp, #48]
  stp x8, x9, [sp, #64]
  stp x10, x11, [sp, #80]
  stp x12, x13, [sp, #96]
  stp x14, x15, [sp, #112]
  stp x16, x17, [sp, #128]
  stp x18, x29, [sp, #144]
  mrs x2, far_el1
  mrs x3, elr_el1
  mrs x4, spsr_el1
  stp x30, x3, [sp, #240]
  str x4, [sp, #256]
  add x5, sp, #272
  .irp pair, 0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30
  str q\pair, [x5], #16
  .endr
  .irp pair, 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31
  str q\pair, [x5], #16
  .endr
  bl kernel_trap                  // (kind, syndrome, FAR, ELR): whether to leave
  tbnz w0, #0, 2f
  add x5, sp, #272
  .irp pair, 0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30
  ldr q\pair, [x5], #16
  .endr
  .irp pair, 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31
  ldr q\pair, [x5], #16
  .endr
  ldr x4, [sp, #256]
  ldp x30, x3, [sp, #240]
  msr elr_el1, x3
  msr spsr_el1, x4
  ldp x18, x29, [sp, #144]
  ldp x16, x17, [sp, #128]
  ldp x14, x15, [sp, #112]
  ldp x12, x13, [sp, #96]
  ldp x10, x11, [sp, #80]
  ldp x8, x9, [sp, #64]
  ldp x6, x7, [sp, #48]
  ldp x4, x5, [sp, #32]
  ldp x2, x3, [sp, #16]
  ldp x0, x1, [sp]
  add sp, sp, #FRAME
  eret
2:add sp, sp, #FRAME
  mov x0, #-1
  b machine_leave
user_call:
  ldr x0, [sp]
  add sp, sp, #FRAME
  b machine_leave

  .globl machine_enter, machine_leave, machine_continue
machine_enter:                    // X0 program, X1 stack, X2 and X3 its arguments, X4 whether in user mode
  sub sp, sp, #176
  stp x19, x20, [sp]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mrs x9, daif
  str x9, [sp, #160]
  mrs x9, tpidr_el1
  ldr x10, =return_stacks
  mov x11, sp
  str x11, [x10, x9, lsl #3]
  mov x9, x0
  mov x10, x1
  mov x0, x2
  mov x1, x3
  cbz x4, 1f
  msr daifset, #15
  msr elr_el1, x9
  msr spsr_el1, xzr               // EL0, interrupts enabled
  msr spsel, #1
  msr sp_el0, x10
  eret
1:mov sp, x10
  mov x29, #0
  blr x9
machine_leave:                    // X0 result
  msr daifset, #15
  msr spsel, #0
  mrs x9, tpidr_el1
  ldr x10, =return_stacks
  ldr x11, [x10, x9, lsl #3]
  mov sp, x11
  ldr x9, [sp, #160]
  ldp x19, x20, [sp]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #176
  msr daif, x9
  ret

machine_continue:                 // X0 program, X1 stack, X2 its argument
  mov sp, x1
  mov x9, x0
  mov x0, x2
  mov x29, #0
  blr x9
  brk #0
  .ltorg

  .bss
  .balign 8
return_stacks: .skip 8 * 8
