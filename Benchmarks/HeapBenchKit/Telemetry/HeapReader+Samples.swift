import CLabBench

/// A sample of a process's heap.
struct HeapSample {
  let address, byteCount, milliseconds, thread: UInt64
  /// Whether the block is in use.
  let isLive: Bool
  let registers: StackUnwinder.Registers
  /// The stack's bytes from the stack pointer on.
  let stack: ArraySlice<UInt8>
}

/// The samples of a process, and what was counted of them.
struct SampleReading {
  /// The mean number of bytes between two samples.
  var meanByteCount: UInt64
  var takenCount, endedCount, droppedCount: UInt64
  /// For how long all samples are there, the ended ones too.
  var windowMilliseconds: UInt64
  var samples: [HeapSample] = []
}

extension HeapReader {
  /// The largest mean that a process takes.
  public static let meanMaximum: UInt64 = 1 << 36

  /// Lets the process take a sample every `mean` bytes on average; with 0 none. It does so from its next slow paths on.
  public func sample(every mean: UInt64) throws(TelemetryError) {
    try memory.write(min(mean, Self.meanMaximum), at: samplePlaces.wantedMean)
  }

  /// The samples now. One that changed meanwhile is left out.
  func readSamples() throws(TelemetryError) -> SampleReading {
    let places = samplePlaces
    let heads = try memory.words(at: [places.wantedMean, places.table])
    let table = heads[1]
    guard heads[0] != 0, table != 0, table < Self.figureBound else { throw .notSampling(memory.process) }
    let header = try memory.image(at: table, byteCount: places.records)
    let end = Int(min(header.load(places.end, as: UInt64.self), UInt64(places.maximum)))
    let now = lab_clock_milliseconds()
    let windowStart: UInt64 = header.load(places.window)
    let mean: UInt64 = header.load(places.mean)
    guard mean > 0, mean <= Self.meanMaximum else { throw .notSampling(memory.process) }
    var reading = SampleReading(
      meanByteCount: mean, takenCount: header.load(places.taken), endedCount: header.load(places.ended),
      droppedCount: header.load(places.dropped), windowMilliseconds: now - min(now, windowStart))
    guard end > 1 else { return reading }
    let recordsByteCount = end * places.stride
    let before = try memory.image(at: table + UInt64(places.records), byteCount: recordsByteCount)
    let stacks = try stacks(of: before, end, table)
    let marks = try marks(of: before, end)
    let after = try memory.image(at: table + UInt64(places.records), byteCount: recordsByteCount)
    var stackStart = 0
    for index in 1..<end {
      let at = index * places.stride
      let stackByteCount = stackByteCount(before, at)
      defer { stackStart += stackByteCount }
      let sequence: UInt64 = before.load(at)
      let milliseconds: UInt64 = before.load(at + places.time)
      let isLive = before.load(at + places.live, as: UInt64.self) == 1
      // The record of an ended sample that is older than the window may be used again at any time.
      guard sequence % 2 == 0, sequence != 0, sequence == after.load(at, as: UInt64.self),
        isLive || milliseconds > windowStart
      else { continue }
      let isFreed = isLive && marks[index] == self.places.mark
      reading.samples.append(
        HeapSample(
          address: before.load(at + places.address), byteCount: before.load(at + places.byteCount),
          milliseconds: milliseconds, thread: before.load(at + places.thread), isLive: isLive && !isFreed,
          registers: StackUnwinder.Registers(
            programCounter: before.load(at + places.programCounter),
            stackPointer: before.load(at + places.stackPointer),
            framePointer: before.load(at + places.framePointer)),
          stack: stacks.bytes[stackStart..<stackStart + stackByteCount]))
    }
    return reading
  }

  private func stackByteCount(_ records: MemoryImage, _ at: Int) -> Int {
    Int(min(records.load(at + samplePlaces.stack, as: UInt64.self), UInt64(samplePlaces.stackByteCount)))
  }

  /// The stacks of all records, one behind the other.
  private func stacks(of records: MemoryImage, _ end: Int, _ table: UInt64) throws(TelemetryError) -> MemoryImage {
    var ranges: [ProcessMemory.Range] = []
    for index in 1..<end {
      let byteCount = stackByteCount(records, index * samplePlaces.stride)
      let place = table + UInt64(samplePlaces.stacks + index * samplePlaces.stackByteCount)
      if byteCount > 0 { ranges.append(ProcessMemory.Range(address: place, byteCount: UInt64(byteCount))) }
    }
    return try memory.image(of: ranges)
  }

  /// The word of each live sample's block where a free one has its mark; 0 for the others. A mapping may be gone by now.
  private func marks(of records: MemoryImage, _ end: Int) throws(TelemetryError) -> [UInt64] {
    var marks = [UInt64](repeating: 0, count: end)
    var indices: [Int] = []
    let spaceEnd = places.base + places.granuleCount * UInt64(places.granuleByteCount)
    for index in 1..<end where records.load(index * samplePlaces.stride + samplePlaces.live, as: UInt64.self) == 1 {
      let address: UInt64 = records.load(index * samplePlaces.stride + samplePlaces.address)
      if address >= places.base, address < spaceEnd { indices.append(index) }
    }
    let words = try memory.words(at: indices.map { records.load($0 * samplePlaces.stride + samplePlaces.address) + 8 })
    for (index, word) in zip(indices, words) { marks[index] = word }
    return marks
  }

  /// Of each span with one of the blocks, by its granule: its used bytes, and its bytes that are free and have memory.
  func spans(around blocks: [UInt64]) throws(TelemetryError) -> [UInt64: (used: UInt64, free: UInt64)] {
    var sight = HeapSight(process: memory.process)
    let table = try readGranules(try memory.words(at: [places.committedEnd])[0], into: &sight)
    var spans: [UInt64: (used: UInt64, free: UInt64)] = [:]
    for block in blocks where block >= places.base {
      let granule = (block - places.base) / UInt64(places.granuleByteCount)
      guard spans[granule] == nil, let at = table.offset(of: granule),
        self.places.spanUses.contains(table.image.bytes[at + places.use])
      else { continue }
      let number = Int(table.image.bytes[at + places.classNumber])
      guard number < table.classSizes.count else { continue }
      var isSteady = true
      let used = usedAndFree(table.image, at, steady: &isSteady).used * table.classSizes[number]
      let pages = table.image.load(at + places.resident, as: UInt16.self).nonzeroBitCount
      let resident = UInt64(pages * places.pageByteCount)
      spans[granule] = (used, resident - min(resident, used))
    }
    return spans
  }
}
