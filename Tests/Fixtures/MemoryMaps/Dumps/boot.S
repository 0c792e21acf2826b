# Multiboot 1 and PVH entries of one small ELF; both call dump(ebx).
#ifndef PVH
  .section .multiboot, "a"
  .balign 4
  .long 0x1BADB002, 0x3, -(0x1BADB002 + 0x3)
#endif
  .section .note.pvh, "a", @note
  .balign 4
  .long 4, 4, 18
  .asciz "Xen"
  .long pvh_start
  .text
  .code32
  .globl mb_start, pvh_start
mb_start:
  movl $stack_top, %esp
  pushl %ebx
  pushl $1
  call dump
pvh_start:
  movl $stack_top, %esp
  pushl %ebx
  pushl $2
  call dump
  .bss
  .balign 16
  .skip 16384
stack_top:
