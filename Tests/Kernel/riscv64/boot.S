# The way to Swift in the upper half, for the first processor and for the others.
#
# The firmware enters in supervisor mode, with paging off, the hart's identifier in A0 and the device tree in A1.
#
# OpenSBI 1.1 marks a hart as started before it writes down where. A hart that looks in between enters here a second time.
# So the others are started one by one, find their number in memory, and whoever enters here second is the one that was
# started last.
  .section .boot.text, "ax", @progbits
  .globl first_start
first_start:
  la t0, first_entered
  li t1, 1
  amoswap.w.aqrl t0, t1, (t0)
  bnez t0, secondary_start
  mv s0, a0
  mv s1, a1
  # By pages of 1 GiB: memory's first one at its own address and at the kernel's, 0 to 128 GiB at the direct map.
  la t0, boot_tables
  li t1, 0x200000CF               # frame 0x80000; dirty, accessed, executable, writable, readable, valid
  sd t1, 2 * 8(t0)
  li t2, 510 * 8
  add t2, t2, t0
  sd t1, (t2)
  li t2, 256 * 8
  add t2, t2, t0
  li t1, 0xC7                     # not executable
  li t3, 128
  li t4, 1 << 28
1:sd t1, (t2)
  add t1, t1, t4
  addi t2, t2, 8
  addi t3, t3, -1
  bnez t3, 1b
  la t1, first_upper_address
  j start_translation

  .globl secondary_start
secondary_start:
  la t1, secondary_upper_address

start_translation:                # T1 where to go on
  csrw sie, zero
  la t0, boot_tables
  srli t0, t0, 12
  li t2, 8 << 60                  # Sv39
  or t0, t0, t2
  ld t1, (t1)
  sfence.vma
  csrw satp, t0
  sfence.vma
  li t0, 1 << 18 | 3 << 13        # SUM: the kernel may use user pages. FS: floating point.
  csrs sstatus, t0
  jr t1
first_entered: .word 0
  .balign 8
first_upper_address: .quad first_upper
secondary_upper_address: .quad secondary_upper

  .section .boot.bss, "aw", @nobits
  .balign 4096
boot_tables: .skip 4096

  .text
first_upper:
  li tp, 0
  la sp, first_stack
  la t0, first_trap_stack
  csrw sscratch, t0
  la t0, trap
  csrw stvec, t0
  mv a0, s0
  mv a1, s1
  li s0, 0
  call kernel_main
  ebreak

secondary_upper:
  la t0, secondary_number
  ld tp, (t0)
  la t0, secondary_root
  ld t0, (t0)
  csrw satp, t0
  sfence.vma
  slli t1, tp, 3
  la t0, secondary_stacks
  add t0, t0, t1
  ld sp, (t0)
  la t0, secondary_trap_stacks
  add t0, t0, t1
  ld t0, (t0)
  csrw sscratch, t0
  la t0, trap
  csrw stvec, t0
  mv a0, tp
  li s0, 0
  call kernel_secondary
  ebreak

  .bss
  .balign 16
  .globl secondary_stacks, secondary_trap_stacks, secondary_root, secondary_number
secondary_stacks: .skip 8 * 8
secondary_trap_stacks: .skip 8 * 8
secondary_root: .skip 8
secondary_number: .skip 8
  .balign 16
  .skip 65536
first_stack:
  .skip 16384
first_trap_stack: .skip 16        # the number 0
