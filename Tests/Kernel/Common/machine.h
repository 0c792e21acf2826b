// What Swift cannot express: symbols of the linker script, and functions of the assembler and C files. `cpu.h` is the
// running processor's: its instructions and device registers as inline functions.
#pragma once

#include <stdint.h>

#include "cpu.h"

// ---- The image ----

extern const uint8_t image_start[], image_text[], image_constants[], image_data[], image_end[];
static inline uint64_t image_start_address(void) { return (uint64_t)image_start; }
static inline uint64_t image_text_address(void) { return (uint64_t)image_text; }
static inline uint64_t image_constants_address(void) { return (uint64_t)image_constants; }
static inline uint64_t image_data_address(void) { return (uint64_t)image_data; }
static inline uint64_t image_end_address(void) { return (uint64_t)image_end; }

/// Memory for the map of memory, which exists before any allocator does.
extern uint64_t map_storage[2048];
static inline uint64_t map_storage_address(void) { return (uint64_t)map_storage; }
/// A variable in the image, for probes.
extern uint32_t probed_variable;
static inline uint64_t variable_address(void) { return (uint64_t)&probed_variable; }
static inline void variable_set(uint32_t value) { probed_variable = value; }

// ---- Entering and leaving (vectors.S) ----

/// Runs the code at `program` on a stack of its own, in user mode or in the kernel's, until it returns, leaves, or a trap
/// makes it leave. The result is what it returned or left with.
uint64_t machine_enter(uint64_t program, uint64_t stack, uint64_t first, uint64_t second, uint64_t in_user_mode);
/// Abandons whatever `machine_enter` runs on this processor.
_Noreturn void machine_leave(uint64_t result);
/// Runs `program` on another stack, for good.
_Noreturn void machine_continue(void (*program)(uint64_t), uint64_t stack, uint64_t argument);

// ---- Probes (runtime.c): each touches an address, which may fault, and returns 0 ----

uint64_t probe_read(uint64_t address, uint64_t unused);
uint64_t probe_write(uint64_t address, uint64_t value);
uint64_t probe_execute(uint64_t address, uint64_t unused);
static inline uint64_t probe_read_address(void) { return (uint64_t)probe_read; }
static inline uint64_t probe_write_address(void) { return (uint64_t)probe_write; }
static inline uint64_t probe_execute_address(void) { return (uint64_t)probe_execute; }

// ---- Memory that Swift must not assume to be unchanged: another processor, or a fault, changes it ----

static inline uint64_t memory_read(uint64_t address) { return *(volatile uint64_t *)address; }
static inline void memory_write(uint64_t address, uint64_t value) { *(volatile uint64_t *)address = value; }

// ---- User programs (programs.c): position-independent, copied to a page of a process ----

extern const uint8_t user_programs[], user_programs_end[];
uint64_t user_sum(uint64_t count, uint64_t unused);
uint64_t user_fill(uint64_t start, uint64_t page_count);
uint64_t user_check(uint64_t start, uint64_t page_count);
uint64_t user_watch(uint64_t start, uint64_t unused);
static inline uint64_t user_programs_address(void) { return (uint64_t)user_programs; }
static inline uint64_t user_programs_byte_count(void) { return (uint64_t)user_programs_end - (uint64_t)user_programs; }
static inline uint64_t user_sum_offset(void) { return (uint64_t)user_sum - (uint64_t)user_programs; }
static inline uint64_t user_fill_offset(void) { return (uint64_t)user_fill - (uint64_t)user_programs; }
static inline uint64_t user_check_offset(void) { return (uint64_t)user_check - (uint64_t)user_programs; }
static inline uint64_t user_watch_offset(void) { return (uint64_t)user_watch - (uint64_t)user_programs; }
