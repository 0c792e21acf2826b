// System calls on address ranges. The contract of `lab_system.h` holds.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Reserves address space at a multiple of `alignment` (a power of two, at least a page): private, inaccessible, and
/// not charged to the system's memory.
int lab_region_reserve(uintptr_t byte_count, uintptr_t alignment, void **address);

/// Maps readable and writable zeros at a multiple of `alignment` (a power of two, at least a page): private, and
/// charged to the system's memory.
int lab_region_map(uintptr_t byte_count, uintptr_t alignment, void **address);

/// Maps readable zeros at `address`, private. Writable ones are charged to the system's memory, others are not. Returns
/// EEXIST and changes nothing where something is mapped there.
int lab_region_map_at(void *address, uintptr_t byte_count, bool writable);

/// Maps readable and writable zeros on explicit huge pages of 2 to the power of `page_shift` bytes, set aside at once.
int lab_region_map_huge(uintptr_t byte_count, unsigned page_shift, void **address);

/// Puts explicit huge pages of 2 to the power of `page_shift` bytes in place of private pages, whose content is lost. They
/// are set aside at once; none has memory yet. After a failure the former pages are there again, empty.
int lab_region_swap_huge(void *address, uintptr_t byte_count, unsigned page_shift);

/// Puts ordinary pages in place of what `lab_region_swap_huge` put there.
int lab_region_swap_back(void *address, uintptr_t byte_count);

/// How many bytes of a range are on transparent huge pages.
int lab_region_transparent(void *address, uintptr_t byte_count, uintptr_t *huge_byte_count);

/// Makes a mapping `new_byte_count` bytes long, elsewhere if need be, by moving its pages. New pages read as zeros.
int lab_region_resize(void *address, uintptr_t byte_count, uintptr_t new_byte_count, void **new_address);

/// Gives address space and its content back.
int lab_region_release(void *address, uintptr_t byte_count);

/// Makes a range inaccessible and empty, as `lab_region_reserve` left it, in place.
int lab_region_reset(void *address, uintptr_t byte_count);

/// Sets the access to a range: read, write and execute, in any combination.
int lab_region_protect(void *address, uintptr_t byte_count, bool read, bool write, bool execute);

/// What `lab_region_advise` can tell the system.
enum lab_region_advice {
  /// Drop the content at once. The next read finds zeros.
  LAB_REGION_DROP,
  /// Drop the content when memory runs short. Until a page is written, a read finds the old bytes or zeros.
  LAB_REGION_DROP_LAZILY,
  /// Back the range with transparent huge pages.
  LAB_REGION_HUGE,
  /// Do not back the range with transparent huge pages.
  LAB_REGION_NO_HUGE,
  /// Let a child of `fork` find zeros there. ENOSYS under an emulator that would not do it.
  LAB_REGION_WIPE_ON_FORK,
  /// Leave the range out of core dumps, a debugger's too.
  LAB_REGION_NO_DUMP,
  /// Write the range into core dumps, as is usual.
  LAB_REGION_DUMP,
};

/// Gives the system advice about a range.
int lab_region_advise(void *address, uintptr_t byte_count, enum lab_region_advice advice);

/// Puts memory behind every page of a readable and writable range, and keeps its content. Returns EFAULT where a page
/// cannot be written, ENOMEM and EHWPOISON where the system says so.
int lab_region_prefault(void *address, uintptr_t byte_count);

/// Keeps a range in memory: all of it from now on, or each page from its first use on.
int lab_region_pin(void *address, uintptr_t byte_count, bool on_fault);

/// Lets the system swap a range out again.
int lab_region_unpin(void *address, uintptr_t byte_count);

/// How many bytes of the range are in memory.
int lab_region_resident(void *address, uintptr_t byte_count, uintptr_t *resident_byte_count);

/// How many bytes of the range are in memory and cannot be swapped out: pinned, or on explicit huge pages.
int lab_region_locked(void *address, uintptr_t byte_count, uintptr_t *locked_byte_count);

#ifdef __cplusplus
}
#endif
