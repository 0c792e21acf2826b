// AArch64: the program runs at EL1 in one range of the address space, under its own tables; the tables under test
// translate the other range. Bit 0 of the request's mode says which: TTBR0_EL1 or TTBR1_EL1. The bits above are the
// field of TCR_EL1 that gives the tables' granule, TG0 or TG1. The kernel's accesses are plain. The user's are LDTR and STTR, which have the rights of EL0 (Arm ARM, D8.4). A fetch is an ERET to the address,
// where SVC returns its tag.

    .section .text.start, "ax"
    .globl _start
_start:
    // The same tables serve both ranges until the request's tables replace one of them.
    adrp x0, boot_root
    msr ttbr0_el1, x0
    msr ttbr1_el1, x0
    // AArch64Format.memoryAttributes: attribute 0 is normal memory, write-back; attribute 3 is a device.
    ldr x0, mair_value
    msr mair_el1, x0
    // T0SZ = T1SZ = 16, 4 KiB granules in both halves, write-back inner-shareable walks, 40-bit physical addresses,
    // hardware management of the access flag and of dirty state.
    ldr x0, tcr_value
    msr tcr_el1, x0
    tlbi vmalle1
    dsb sy
    isb
    mrs x0, sctlr_el1
    mov x1, #0x1005 // I, C, M
    orr x0, x0, x1
    bic x0, x0, #(1 << 19) // WXN
    orr x0, x0, #(1 << 23) // SPAN: exceptions leave PSTATE.PAN alone
    msr sctlr_el1, x0
    isb
    adr x0, 1f
    movz x2, #0x4800, lsl #16
    ldr x2, [x2, #16] // the request's mode
    tbnz x2, #0, 1f
    mov x1, #0xFFFF000000000000
    orr x0, x0, x1
    br x0
1:  adrp x0, vectors
    msr vbar_el1, x0
    adrp x0, stack_end
    mov sp, x0
    isb
    bl guest_main
    b .
    .balign 8
mair_value:
    .quad 0x044444FF
tcr_value:
    .quad (16 << 0) | (1 << 8) | (1 << 10) | (3 << 12) | (16 << 16) | (1 << 24) | (1 << 26) | (3 << 28) | (2 << 30) \
        | (2 << 32) | (1 << 39) | (1 << 40)

    .text
    .globl machine_root_set
machine_root_set:
    mrs x2, tcr_el1
    lsr x3, x1, #1
    tbnz x1, #0, 1f
    bfi x2, x3, #14, #2
    msr tcr_el1, x2
    msr ttbr0_el1, x0
    b 2f
1:  bfi x2, x3, #30, #2
    msr tcr_el1, x2
    msr ttbr1_el1, x0
2:  isb
    tlbi vmalle1
    dsb sy
    ic iallu
    dsb sy
    isb
    ret

    // x0: the probe; x1: the outcome.
    .globl machine_probe
machine_probe:
    stp x29, x30, [sp, #-112]!
    stp x19, x20, [sp, #16]
    stp x21, x22, [sp, #32]
    stp x23, x24, [sp, #48]
    stp x25, x26, [sp, #64]
    stp x27, x28, [sp, #80]
    str x1, [sp, #96]
    ldp x2, x3, [x0]
    ldp w4, w5, [x0, #16]
    cmp w4, #1
    b.eq 2f
    b.gt 3f
    cbnz w5, 1f
    ldr x9, [x2]
    b done
1:  ldtr x9, [x2]
    b done
2:  cbnz w5, 1f
    str x3, [x2]
    b written
1:  sttr x3, [x2]
written:
    // The stored word may be fetched next.
    dsb sy
    ic iallu
    dsb sy
    isb
done:
    str x9, [x1, #8]
    b leave
3:  mov x6, #0x3C0 // EL0t, interrupts masked
    cbnz w5, 1f
    mov x6, #0x3C5 // EL1h
1:  msr spsr_el1, x6
    msr elr_el1, x2
    eret

caught:
    ldr x1, [sp, #96]
    mov x2, #1
    mrs x3, esr_el1
    mrs x4, far_el1
    stp x2, xzr, [x1]
    stp x3, x4, [x1, #16]
leave:
    ldp x19, x20, [sp, #16]
    ldp x21, x22, [sp, #32]
    ldp x23, x24, [sp, #48]
    ldp x25, x26, [sp, #64]
    ldp x27, x28, [sp, #80]
    ldp x29, x30, [sp], #112
    ret

    .balign 4096
vectors:
    .rept 16
    .balign 128
    b caught
    .endr

    // 1 GiB blocks: block 0 holds the device, the rest is memory for EL1 (D8.3, VMSAv8-64 descriptors).
    .data
    .balign 4096
boot_root:
    .quad boot_level1 + 3
    .skip 511 * 8
boot_level1:
    .quad 0x006000000000040D // execute-never, access flag, attribute 3
    .set block, 1
    .rept 7
    .quad (block << 30) | 0x0040000000000701 // not for EL0 to execute, access flag, inner shareable, attribute 0
    .set block, block + 1
    .endr
    .skip 504 * 8
