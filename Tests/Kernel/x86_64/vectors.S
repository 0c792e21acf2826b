# Exceptions, interrupts, and the way into user mode and back.

# Each stub is 16 bytes. Those of exceptions without an error code push a zero.
  .text
  .balign 16
stubs:
  .set vector, 0
  .rept 48
  .balign 16
  .if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21)
  .else
  pushq $0
  .endif
  pushq $vector
  jmp trap
  .set vector, vector + 1
  .endr

# On the stack: vector, error code, RIP, CS, flags, RSP, SS. Every trap runs on this processor's interrupt stack with
# interrupts disabled, so none interrupts another. Swift may change any register that calls may change, vectors too.
trap:
  pushq %rax
  pushq %rcx
  pushq %rdx
  pushq %rsi
  pushq %rdi
  pushq %r8
  pushq %r9
  pushq %r10
  pushq %r11
  pushq %rbp
  movq %rsp, %rbp
  subq $512, %rsp
  andq $-16, %rsp
  fxsave (%rsp)
  cld
  movq 80(%rbp), %rdi
  movq 88(%rbp), %rsi
  movq %cr2, %rdx
  movq 96(%rbp), %rcx
  call kernel_trap                # (vector, error code, CR2, RIP): whether to leave
  testb %al, %al
  jnz 1f
  fxrstor (%rsp)
  movq %rbp, %rsp
  popq %rbp
  popq %r11
  popq %r10
  popq %r9
  popq %r8
  popq %rdi
  popq %rsi
  popq %rdx
  popq %rcx
  popq %rax
  addq $16, %rsp
  iretq
1:movq $-1, %rdi
  jmp machine_leave

# Loads R9 with the address of this processor's task state.
.macro load_task_state
  xorl %r9d, %r9d
  str %r9w
  subl $0x28, %r9d
  shll $3, %r9d
  leaq task_states(%rip), %r10
  addq %r10, %r9
.endm

# The stack to return to is the one that an INT from user mode switches to.
  .globl machine_enter, machine_leave, machine_continue
machine_enter:                    # RDI program, RSI stack, RDX and RCX its arguments, R8 whether in user mode
  pushq %rbx
  pushq %rbp
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  pushfq
  load_task_state
  movq %rsp, 4(%r9)
  movq %rdi, %rax
  movq %rdx, %rdi
  testq %r8, %r8
  jz 1f
  pushq $0x1B
  pushq %rsi
  pushq $0x202                    # interrupts enabled
  pushq $0x23
  pushq %rax
  movq %rcx, %rsi
  iretq
1:movq %rsi, %rsp
  movq %rcx, %rsi
  call *%rax
  movq %rax, %rdi
machine_leave:                    # RDI result
  cli
  load_task_state
  movq 4(%r9), %rsp
  movl $16, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  movq %rdi, %rax
  popfq
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbp
  popq %rbx
  ret

machine_continue:                 # RDI program, RSI stack, RDX its argument
  movq %rsi, %rsp
  movq %rdi, %rax
  movq %rdx, %rdi
  xorl %ebp, %ebp
  call *%rax
  ud2

# 48 gates to the stubs, on interrupt stack 1, and INT 0x80 from user mode.
  .globl fill_interrupt_table
fill_interrupt_table:
  leaq interrupt_table(%rip), %rdi
  leaq stubs(%rip), %rax
  movl $48, %ecx
1:movw $0x8E01, %dx               # interrupt gate, interrupt stack 1
  call 2f
  addq $16, %rax
  addq $16, %rdi
  loop 1b
  leaq machine_leave(%rip), %rax
  leaq interrupt_table + 0x80 * 16(%rip), %rdi
  movw $0xEE00, %dx               # interrupt gate that user mode may use
2:movq %rax, %r8
  movw %r8w, (%rdi)
  movw $8, 2(%rdi)
  movw %dx, 4(%rdi)
  shrq $16, %r8
  movw %r8w, 6(%rdi)
  shrq $16, %r8
  movl %r8d, 8(%rdi)
  ret

  .data
  .globl interrupt_table_pointer
interrupt_table_pointer: .word 4095
  .quad interrupt_table

  .bss
  .balign 4096
interrupt_table: .skip 4096
