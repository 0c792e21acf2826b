// The guest's own code. For each record it loads RBX and RAX and leaves by IRETQ for the record's address and mode. It
// returns through an exception: #PF or #GP from a failed access, int3 in user mode after a successful one. In kernel
// mode, success returns by a jump. The code stores the outcome in the record and goes on to the next one. It never
// returns from an exception, so the interrupt stack starts afresh each time (IST 1).
//
// No register keeps a value from record to record, since a stray fetch may have run anything. The code is
// position-independent: it runs in any slot of the root.

#if defined(__x86_64__) && defined(__linux__)

#include "lab_kvm_monitor.h"

#define MAILBOX(offset) (lab_kvm_monitor_code + LAB_MONITOR_MAILBOX - LAB_MONITOR_CODE + offset)(%rip)

    .section .rodata
    .balign 16
    .globl lab_kvm_monitor_code, lab_kvm_monitor_code_end, lab_kvm_monitor_start
    .globl lab_kvm_monitor_read, lab_kvm_monitor_write, lab_kvm_monitor_done
    .globl lab_kvm_user_code, lab_kvm_user_read, lab_kvm_user_write, lab_kvm_user_done, lab_kvm_user_code_end

lab_kvm_monitor_code:
    // One stub per exception: it leaves the vector and error code on the stack, 0 where the processor pushes none.
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

    // The host resumes here with a new batch. Loading CR3 flushes the translation caches.
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

    // The kernel-mode accesses. A fetch calls the address under test, which returns to `done`.
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

    // The user-mode accesses, which have their own page. A fetch returns to `done`.
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
