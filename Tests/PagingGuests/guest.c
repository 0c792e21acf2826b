#include "guest.h"

static void put_text(const char *text) {
  while (*text != 0) machine_put(*text++);
}

static void put_hex(uint64_t value) {
  int shift = 60;
  while (shift > 0 && value >> shift == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) {
    unsigned digit = (unsigned)(value >> shift & 15);
    machine_put((char)(digit < 10 ? '0' + digit : 'a' + digit - 10));
  }
}

// Prints a line in the format of the expectations: INDEX MODE ACCESS ADDRESS done VALUE | fault CODE ADDRESS, plus the
// physical address where the processor can translate on request.
static void report(uint64_t index, const struct probe *probe, const struct outcome *outcome) {
  put_hex(index);
  put_text(probe->user ? " user" : " kernel");
  put_text(probe->access == ACCESS_READ ? " read " : probe->access == ACCESS_WRITE ? " write " : " fetch ");
  put_hex(probe->address);
  put_text(outcome->kind == OUTCOME_DONE ? " done " : outcome->kind == OUTCOME_FAULT ? " fault " : " other ");
  put_hex(outcome->value);
  if (outcome->kind == OUTCOME_FAULT) {
    machine_put(' ');
    put_hex(outcome->address);
  }
  uint64_t physical = 0;
  if (probe->access != ACCESS_FETCH) {
    int found = machine_translate(probe, &physical);
    if (found == 0) put_text(" at none");
    if (found == 1) {
      put_text(" at ");
      put_hex(physical);
    }
  }
  machine_put('\n');
}

void guest_main(void) {
  const struct request *request = machine_request();
  if (request->magic != REQUEST_MAGIC) {
    put_text("no request\n");
    machine_off();
  }
  const struct plant *plants = (const struct plant *)(request + 1);
  for (uint64_t index = 0; index < request->plant_count; index++) {
    *machine_physical(plants[index].physical) = plants[index].word;
  }
  machine_root_set(request->root, request->mode);
  const struct probe *probes = (const struct probe *)(plants + request->plant_count);
  for (uint64_t index = 0; index < request->probe_count; index++) {
    struct raw_outcome raw = {0};
    machine_probe(&probes[index], &raw);
    struct outcome outcome = {OUTCOME_DONE, raw.value, 0};
    if (probes[index].access == ACCESS_WRITE) outcome.value = 0;
    if (raw.trapped) machine_judge(&probes[index], &raw, &outcome);
    report(index, &probes[index], &outcome);
  }
  put_text("end\n");
  machine_off();
}
