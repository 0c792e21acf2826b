# Exceptions, interrupts, and the way into user mode and back.
#
# SSCRATCH always holds this processor's trap stack, whose top is a word with the processor's number. Traps run with
# interrupts disabled: none interrupts another.

  .set FRAME, 448                 # X0 to X31, SEPC, a gap, 20 floating-point registers and their status

  .text
  .balign 4
  .globl trap
trap:
  csrrw sp, sscratch, sp
  addi sp, sp, -FRAME
  sd x1, 8(sp)
  .irp r, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  sd x\r, \r * 8(sp)
  .endr
  csrr t0, sscratch
  sd t0, 16(sp)
  addi t0, sp, FRAME
  csrw sscratch, t0
  ld tp, (t0)
  csrr a0, scause
  li t0, 8                        # ECALL from user mode
  beq a0, t0, 2f
  csrr a1, stval
  csrr a2, sepc
  csrr a3, sstatus
  sd a2, 256(sp)
  .irp r, 0,1,2,3,4,5,6,7,8,9,10,11
  fsd ft\r, 272 + \r * 8(sp)
  .endr
  .irp r, 0,1,2,3,4,5,6,7
  fsd fa\r, 368 + \r * 8(sp)
  .endr
  frcsr t0
  sd t0, 432(sp)
  call kernel_trap                # (cause, STVAL, SEPC, status): whether to leave
  andi a0, a0, 1
  bnez a0, 1f
  ld t0, 432(sp)
  fscsr t0
  .irp r, 0,1,2,3,4,5,6,7,8,9,10,11
  fld ft\r, 272 + \r * 8(sp)
  .endr
  .irp r, 0,1,2,3,4,5,6,7
  fld fa\r, 368 + \r * 8(sp)
  .endr
  ld t0, 256(sp)
  csrw sepc, t0
  ld x1, 8(sp)
  .irp r, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  ld x\r, \r * 8(sp)
  .endr
  ld sp, 16(sp)
  sret
1:li a0, -1
  j machine_leave
2:ld a0, 10 * 8(sp)
  j machine_leave

  .globl machine_enter, machine_leave, machine_continue
machine_enter:                    # A0 program, A1 stack, A2 and A3 its arguments, A4 whether in user mode
  addi sp, sp, -208
  sd ra, 0(sp)
  .irp r, 0,1,2,3,4,5,6,7,8,9,10,11
  sd s\r, 8 + \r * 8(sp)
  fsd fs\r, 104 + \r * 8(sp)
  .endr
  csrr t0, sstatus
  andi t0, t0, 2
  sd t0, 200(sp)
  la t0, return_stacks
  slli t1, tp, 3
  add t0, t0, t1
  sd sp, (t0)
  mv t0, a0
  mv t1, a1
  mv a0, a2
  mv a1, a3
  beqz a4, 1f
  csrci sstatus, 2
  li t2, 1 << 8                   # SPP: user mode
  csrc sstatus, t2
  li t2, 1 << 5                   # SPIE: interrupts enabled
  csrs sstatus, t2
  csrw sepc, t0
  mv sp, t1
  sret
1:mv sp, t1
  li s0, 0
  jalr t0
machine_leave:                    # A0 result
  csrci sstatus, 2
  la t0, return_stacks
  slli t1, tp, 3
  add t0, t0, t1
  ld sp, (t0)
  ld ra, 0(sp)
  .irp r, 0,1,2,3,4,5,6,7,8,9,10,11
  ld s\r, 8 + \r * 8(sp)
  fld fs\r, 104 + \r * 8(sp)
  .endr
  ld t0, 200(sp)
  addi sp, sp, 208
  csrs sstatus, t0
  ret

machine_continue:                 # A0 program, A1 stack, A2 its argument
  mv sp, a1
  mv t0, a0
  mv a0, a2
  li s0, 0
  jalr t0
  ebreak

  .bss
  .balign 8
return_stacks: .skip 8 * 8
