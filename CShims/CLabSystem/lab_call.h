// A system call without a trace in the caller's `errno`.
#pragma once

#include <errno.h>

/// Makes a system call that returns -1 on failure. Gives 0 or the errno, and puts `errno` back.
#define LAB_CALL(call)                 \
  ({                                   \
    int saved = errno;                 \
    int code = (call) < 0 ? errno : 0; \
    errno = saved;                     \
    code;                              \
  })
