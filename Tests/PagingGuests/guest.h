// A bare-metal program that makes accesses under page tables that were written elsewhere, and tells over the serial
// line how each ended. `guest.c` is the program; each processor has one assembly file with what `machine_*` declares.
//
// What it is to do lies in memory at `machine_request`, put there by the machine's loader.
#pragma once

#include <stdint.h>

/// What one access is.
enum { ACCESS_READ = 0, ACCESS_WRITE = 1, ACCESS_FETCH = 2 };

/// One access of eight bytes.
struct probe {
  uint64_t address;
  uint64_t word;    // what a write stores
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
  uint64_t mode;   // what else the processor must be told; RISC-V: the MODE field of satp
  uint64_t plant_count;
  uint64_t probe_count;
};
#define REQUEST_MAGIC UINT64_C(0x3145474150424C48)  // "HLBPAGE1"

/// How an access ended.
enum { OUTCOME_DONE = 0, OUTCOME_FAULT = 1, OUTCOME_OTHER = 2 };
struct outcome {
  uint64_t kind;
  uint64_t value;    // done: the word read or the tag fetched; else the processor's cause, cut to what it must say
  uint64_t address;  // a fault's address
};

/// What came back from the assembly: no exception, or the exception's raw registers.
struct raw_outcome {
  uint64_t trapped;  // 1: an exception ended the probe
  uint64_t value;    // the word read, or what the fetched instructions left
  uint64_t cause;
  uint64_t address;
};

/// Where the request lies, as an address that the program can use.
const struct request *machine_request(void);

/// Where the program reaches a physical address.
volatile uint64_t *machine_physical(uint64_t address);

/// Sends one character.
void machine_put(char character);

/// Puts the processor under the tables of a request.
void machine_root_set(uint64_t root, uint64_t mode);

/// Makes one access.
void machine_probe(const struct probe *probe, struct raw_outcome *outcome);

/// What an exception means.
void machine_judge(const struct probe *probe, const struct raw_outcome *raw, struct outcome *outcome);

/// Asks the processor's own translation instruction: 1 and the physical address, 0 for none, -1 where there is no such
/// instruction.
int machine_translate(const struct probe *probe, uint64_t *physical);

/// Turns the machine off.
_Noreturn void machine_off(void);
