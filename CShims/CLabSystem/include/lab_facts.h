// What the system allows and has. The contract of `lab_system.h` holds.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What the limits below are when there is none.
#define LAB_FACTS_UNLIMITED UINT64_MAX

/// The size of the system's base page, in bytes: 4,096 on x86-64; 4, 16 or 64 KiB on AArch64, as the kernel was built.
uintptr_t lab_facts_page_size(void);

/// An address where the system put a mapping of its own accord: the loader or, in a program without one, the stack.
uintptr_t lab_facts_mapping(void);

/// The soft limits on pinned memory and on address space, in bytes.
int lab_facts_pin_limit(uint64_t *byte_count);
int lab_facts_address_space_limit(uint64_t *byte_count);

/// How many bytes the process has pinned, and whether CAP_IPC_LOCK exempts it from the limit.
int lab_facts_pinned(uint64_t *byte_count, bool *exempt);

/// How many bytes of memory the process may still take without swapping, and whether a control group sets that limit,
/// not the machine.
int lab_facts_memory_room(uint64_t *byte_count, bool *is_of_group);

/// How many bytes of address space the process uses.
int lab_facts_address_space(uint64_t *byte_count);

/// The pages in the system's pool of explicit huge pages of 2 to the power of `page_shift` bytes. Returns ENOENT when
/// the system has no such pages. A free page that is promised to somebody does not count as free.
int lab_facts_huge_pages(unsigned page_shift, uint64_t *total_count, uint64_t *free_count);

/// The system's words for an errno, in static memory.
const char *lab_facts_error_text(int code);

#ifdef __cplusplus
}
#endif
