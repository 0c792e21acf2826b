/// Where the samples of a process's heap lie (SampleTable.swift).
struct SamplePlaces {
  /// The word that says how often to sample: the only one that a reader writes.
  let wantedMean: UInt64
  let table: UInt64
  let maximum, records, stride, stacks, stackByteCount: Int
  // Offsets in the table's header and in a record.
  let mean, taken, ended, dropped, end, window: Int
  let address, byteCount, time, programCounter, stackPointer, framePointer, stack, thread, live: Int

  init(_ words: TelemetryWords) throws(TelemetryError) {
    (wantedMean, table) = (try words["process.sample_mean@"], try words["samples.table@"])
    (maximum, stride) = (try words.number("samples.maximum"), try words.number("samples.stride"))
    records = try words.number("samples.records+")
    stacks = Int(try words.word("samples.stacks+", below: 1 << 32))
    stackByteCount = try words.number("samples.stack_bytes")
    (mean, taken) = (try words.number("samples.mean+"), try words.number("samples.taken+"))
    (ended, dropped) = (try words.number("samples.ended+"), try words.number("samples.dropped+"))
    (end, window) = (try words.number("samples.end+"), try words.number("samples.window+"))
    (address, byteCount) = (try words.number("sample.address+"), try words.number("sample.bytes+"))
    (time, thread) = (try words.number("sample.time+"), try words.number("sample.thread+"))
    programCounter = try words.number("sample.pc+")
    (stackPointer, framePointer) = (try words.number("sample.sp+"), try words.number("sample.fp+"))
    (stack, live) = (try words.number("sample.stack+"), try words.number("sample.live+"))
    let last = max(address, byteCount, time, thread, programCounter, stackPointer, framePointer, stack, live)
    guard stride >= last + 8, max(mean, taken, ended, dropped, end, window) + 8 <= records, stackByteCount > 0 else {
      throw words.impossible
    }
  }
}
