// The guest's own code. For each record it loads RBX and RAX and leaves by IRETQ for the record's address and mode. The
// way back is an exception: #PF or #GP from an access that failed, int3 in user mode behind one that succeeded. In
// kernel mode success comes back by a jump. Whatever it was is filed in the record, and the next one follows. No
// exception is ever returned from, so the interrupt stack starts afresh each time (IST 1).
//
// Nothing is kept in registers from record to record, since a fetch that went astray may have run anything. The
// code is addressed relative to itself: it runs in whatever slot of the root it is mapped.

#if defined(__x86_64__) && defined(__linux__)

#include "lab_kvm_monitor.h"

#define MAILBOX(offset) (lab_kvm_monitor_code + LAB_MONITOR_MAILBOX - LAB_MONITOR_CODE + offset)(%rip)

    .section .rodata
    .balign 16
    .globl lab_kvm_monitor_code, lab_kvm_monitor_code_end, lab_kvm_monitor_start
    .globl lab_kvm_monitor_read, lab_kvm_monitor_write, lab_kvm_monitor_done
    .globl lab_kvm_user_code, lab_kvm_user_read, lab_kvm_user_write, lab_kvm_user_done, lab_kvm_user_code_end

lab_kvm_monitor_code:
    // One stub for each exception: vector and error code on the stack, 0 where the processor pushes none.
    .set vector, 0
    .rept LAB_VECTOR_COUNT
    .balign LAB_STUB_BYTE_COUNT
    .if (vector != 8) && (vector != 10) && (vector != 11) && (vector != 12) && (vector != 13) && (vector != 14) \
        && (vector != 17)
    pushq $0
    .endif
    pushq $vector
    jmp caught
    .set vector, vector + 1
    .endr

    .balign LAB_STUB_BYTE_COUNT
caught:
    // The stack: vector, error code, RIP, CS, RFLAGS, RSP, SS.
    pushq %rbx
    movq MAILBOX(LAB_MAILBOX_CURRENT), %rbx
    movq %rax, LAB_RECORD_RAX(%rbx)
    movq 8(%rsp), %rax
    movq %rax, LAB_RECORD_VECTOR(%rbx)
    movq 16(%rsp), %rax
    movq %rax, LAB_RECORD_ERROR(%rbx)
    movq 24(%rsp), %rax
    movq %rax, LAB_RECORD_END_RIP(%rbx)
    movq 32(%rsp), %rax
    movq %rax, LAB_RECORD_END_CS(%rbx)
    movq %cr2, %rax
    movq %rax, LAB_RECORD_CR2(%rbx)

advance:
    addq $LAB_RECORD_BYTE_COUNT, MAILBOX(LAB_MAILBOX_CURRENT)
    decq MAILBOX(LAB_MAILBOX_COUNT)

next:
    cmpq $0, MAILBOX(LAB_MAILBOX_COUNT)
    jne probe
    outb %al, $LAB_MONITOR_PORT

    // The host resumes here with a new batch. Loading CR3 empties the translation caches.
lab_kvm_monitor_start:
    movq MAILBOX(LAB_MAILBOX_CR3), %rax
    movq %rax, %cr3
    leaq MAILBOX(LAB_MAILBOX_RECORDS), %rax
    movq %rax, MAILBOX(LAB_MAILBOX_CURRENT)
    jmp next

probe:
    movq MAILBOX(LAB_MAILBOX_CURRENT), %rsp
    movq LAB_RECORD_RBX(%rsp), %rbx
    movq LAB_RECORD_RAX(%rsp), %rax
    iretq

    // The accesses of kernel mode. A fetch calls the address under test; that returns to `done`.
lab_kvm_monitor_read:
    movq (%rbx), %rax
    jmp lab_kvm_monitor_done
lab_kvm_monitor_write:
    movq %rax, (%rbx)
lab_kvm_monitor_done:
    movq MAILBOX(LAB_MAILBOX_CURRENT), %rbx
    movq %rax, LAB_RECORD_RAX(%rbx)
    movq $LAB_VECTOR_DONE, LAB_RECORD_VECTOR(%rbx)
    movq $0, LAB_RECORD_ERROR(%rbx)
    jmp advance
lab_kvm_monitor_code_end:

    // The accesses of user mode, for a page of their own. A fetch returns to `done`.
    .balign 16
lab_kvm_user_code:
lab_kvm_user_read:
    movq (%rbx), %rax
    jmp lab_kvm_user_done
lab_kvm_user_write:
    movq %rax, (%rbx)
lab_kvm_user_done:
    int3
lab_kvm_user_code_end:

    .section .note.GNU-stack, "", @progbits

#endif
