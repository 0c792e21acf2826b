// A bare-metal program that makes accesses under prepared page tables and reports their outcomes over the serial line.
// `guest.c` is the program; each processor has one assembly file with the `machine_*` functions declared here.
//
// The machine's loader puts the request into memory at `machine_request`.
#pragma once

#include <stdint.h>

/// The kind of an access.
enum { ACCESS_READ = 0, ACCESS_WRITE = 1, ACCESS_FETCH = 2 };

/// One access of eight bytes.
struct probe {
  uint64_t address;
  uint64_t word;    // the word that a write stores
  uint32_t access;
  uint32_t user;    // 1: from user mode
};

/// A word to put into physical memory before the first access.
struct plant {
  uint64_t physical;
  uint64_t word;
};

/// The work: a header, `plant_count` plants, `probe_count` probes.
struct request {
  uint64_t magic;
  uint64_t root;   // the root table's physical address
  uint64_t mode;   // the processor's mode; its file says what it means
  uint64_t plant_count;
  uint64_t probe_count;
};
#define REQUEST_MAGIC UINT64_C(0x3145474150424C48)  // "HLBPAGE1"

/// The outcome of an access.
enum { OUTCOME_DONE = 0, OUTCOME_FAULT = 1, OUTCOME_OTHER = 2 };
struct outcome {
  uint64_t kind;
  uint64_t value;    // done: the word read or the tag fetched; else the processor's cause, reduced to the checked bits
  uint64_t address;  // the address of a fault
};

/// The result from the assembly: no exception, or the exception's raw registers.
struct raw_outcome {
  uint64_t trapped;  // 1: an exception ended the probe
  uint64_t value;    // the word read, or the result of the fetched instructions
  uint64_t cause;
  uint64_t address;
};

/// The address of the request, as the program can use it.
const struct request *machine_request(void);

/// The address at which the program reaches a physical address.
volatile uint64_t *machine_physical(uint64_t address);

/// Sends one character.
void machine_put(char character);

/// Sets the tables of a request on the processor.
void machine_root_set(uint64_t root, uint64_t mode);

/// Makes one access.
void machine_probe(const struct probe *probe, struct raw_outcome *outcome);

/// Interprets an exception.
void machine_judge(const struct probe *probe, const struct raw_outcome *raw, struct outcome *outcome);

/// Runs the processor's own translation instruction: 1 and the physical address, 0 when there is no translation, -1
/// when there is no such instruction.
int machine_translate(const struct probe *probe, uint64_t *physical);

/// Turns the machine off.
_Noreturn void machine_off(void);
