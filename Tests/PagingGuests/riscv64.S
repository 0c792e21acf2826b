// RISC-V: the program runs in machine mode, which is not translated. Loads and stores run with mstatus.MPRV set, as in
// supervisor or user mode (privileged architecture, 3.1.6.3). A fetch is a jump there by MRET. Every exception returns
// to machine mode.

    .section .text.start, "ax"
    .globl _start
_start:
    la sp, stack_end
    la t0, trap
    csrw mtvec, t0
    // Supervisor and user mode may use all of physical memory (3.7).
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1F
    csrw pmpcfg0, t0
    // Let the processor set accessed and dirty bits where it has Svadu, and obey memory types where it has Svpbmt:
    // menvcfg.ADUE and menvcfg.PBMTE.
    li t0, 3
    slli t0, t0, 61
    la t1, 1f
    csrw mtvec, t1
    csrs 0x30A, t0
    .balign 4
1:  la t0, trap
    csrw mtvec, t0
    call guest_main

    .text
    .globl machine_root_set
machine_root_set:
    srli a0, a0, 12
    slli a1, a1, 60
    or a0, a0, a1
    csrw satp, a0
    sfence.vma
    ret

    // a0: the probe; a1: the outcome.
    .globl machine_probe
machine_probe:
    csrw mscratch, a1
    la t0, saved
    sd sp, 0(t0)
    sd ra, 8(t0)
    sd s0, 16(t0)
    sd s1, 24(t0)
    sd gp, 32(t0)
    sd tp, 40(t0)
    ld t1, 0(a0)
    ld t2, 8(a0)
    lw t3, 16(a0)
    lw t4, 20(a0)
    // MPP: 1 supervisor, 0 user. SUM is set: the kernel may read and write user pages.
    li t5, 3 << 11
    csrc mstatus, t5
    bnez t4, 1f
    li t5, 1 << 11
    csrs mstatus, t5
1:  li t5, 1 << 18
    csrs mstatus, t5
    li t5, 1 << 17
    beqz t3, 2f
    li t6, 1
    beq t3, t6, 3f
    csrw mepc, t1
    mret
2:  csrs mstatus, t5
    ld a0, 0(t1)
    csrc mstatus, t5
    sd a0, 8(a1)
    ret
3:  csrs mstatus, t5
    sd t2, 0(t1)
    csrc mstatus, t5
    // The stored word may be fetched next.
    fence.i
    ret

    .balign 4
trap:
    li t5, 1 << 17
    csrc mstatus, t5
    csrr a1, mscratch
    li t0, 1
    sd t0, 0(a1)
    sd a0, 8(a1)
    csrr t0, mcause
    sd t0, 16(a1)
    csrr t0, mtval
    sd t0, 24(a1)
    la t0, saved
    ld sp, 0(t0)
    ld ra, 8(t0)
    ld s0, 16(t0)
    ld s1, 24(t0)
    ld gp, 32(t0)
    ld tp, 40(t0)
    ret

    .bss
    .balign 8
saved:
    .skip 48
