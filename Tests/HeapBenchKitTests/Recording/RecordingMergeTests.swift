import AllocationTraces
import Foundation
import Testing

@testable import HeapBenchKit

@Suite struct RecordingMergeTests {
  typealias Record = (kind: RawRecord.Kind, address: UInt64, size: UInt64, ticks: UInt64)

  /// A file of raw records with a ring for each thread.
  static func file(_ rings: [[Record]]) -> [UInt8] {
    file(
      words: rings.map { records in
        records.flatMap { record in
          let raw = RawRecord(
            record.kind, address: record.address, size: record.size, extra: 0, ticks: record.ticks)
          return [raw.head, raw.tail]
        }
      })
  }

  /// A file with a ring of these words for each thread.
  static func file(words rings: [[UInt64]]) -> [UInt8] {
    let chunk = Int(RawFile.chunkByteCount)
    var words = [UInt64](repeating: 0, count: (Int(RawFile.headerByteCount) + rings.count * chunk) / 8)
    words[0] = RawFile.magic
    for (thread, ring) in rings.enumerated() {
      let offset = Int(RawFile.headerByteCount) + thread * chunk
      words[offset / 8] = RawFile.chunkMagic
      words[(offset + Int(RawFile.chunkRingOffset)) / 8] = UInt64(offset)
      words[(offset + Int(RawFile.chunkThreadOffset)) / 8] = UInt64(thread)
      let start = (offset + Int(RawFile.recordsOffset)) / 8
      words.replaceSubrange(start..<start + ring.count, with: ring)
    }
    return words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) } }
  }

  /// The events that the merge of `rings` writes, and what it found.
  static func merge(_ rings: [[Record]]) throws -> (events: [TraceEvent], outcome: RecordingMerge.Outcome) {
    try merge(file: file(rings))
  }

  static func merge(file: [UInt8]) throws -> (events: [TraceEvent], outcome: RecordingMerge.Outcome) {
    try WorkloadFiles.withFolder(["1-0.raw": file]) { folder in
      let recording = try RawRecording(path: folder + "/1-0.raw")
      let writer = try TraceFileWriter(path: folder + "/t.hltrace", TraceText())
      var merge = RecordingMerge(recording, nanosecondsPerTick: 1, to: writer)
      try merge.run { _ in true }
      try writer.finish(TraceText())
      var events: [TraceEvent] = []
      try TraceFile(path: folder + "/t.hltrace").forEachEvent { (event, _) throws(TraceFileError.Finding) in
        events.append(event)
        return true
      }
      return (Array(events.dropFirst()), merge.outcome)
    }
  }

  @Test func threadsAreSortedByTheirStamps() throws {
    let (events, outcome) = try Self.merge([
      [(.malloc, 0x1000, 8, 10), (.free, 0x2000, 0, 40)], [(.malloc, 0x2000, 16, 20), (.free, 0x1000, 0, 30)],
    ])
    #expect(
      events == [
        .allocate(byteCount: 8), .threadBecomes(number: 1), .allocate(byteCount: 16), .deallocate(object: 0),
        .threadBecomes(number: 0), .deallocate(object: 1),
      ])
    #expect(outcome.lostFreeCount == 0)
  }

  /// The second thread's stamp is too early by five ticks: it got the block only after the free.
  @Test func anAllocationWaitsForTheFreeOfItsAddress() throws {
    let (events, outcome) = try Self.merge([
      [(.malloc, 0x1000, 8, 10), (.free, 0x1000, 0, 25)], [(.malloc, 0x1000, 16, 20), (.free, 0x1000, 0, 30)],
    ])
    #expect(
      events == [
        .allocate(byteCount: 8), .deallocate(object: 0), .threadBecomes(number: 1), .allocate(byteCount: 16),
        .deallocate(object: 1),
      ])
    #expect(outcome.lostFreeCount == 0)
  }

  @Test func aLostFreeEndsItsObject() throws {
    let (events, outcome) = try Self.merge([[(.malloc, 0x1000, 8, 10), (.malloc, 0x1000, 9, 20)]])
    #expect(events == [.allocate(byteCount: 8), .deallocate(object: 0), .allocate(byteCount: 9)])
    #expect(outcome.lostFreeCount == 1)
  }

  @Test func reallocationsKeepFailedOnesAndFreeForNothing() throws {
    let (events, outcome) = try Self.merge([
      [
        (.malloc, 0x1000, 8, 1), (.reallocBegin, 0x1000, 0, 2), (.realloc, 0, 99, 3),  // It failed.
        (.reallocBegin, 0x1000, 0, 4), (.realloc, 0x3000, 20, 5), (.reallocBegin, 0x3000, 0, 6), (.realloc, 0, 0, 7),
        (.realloc, 0x4000, 5, 8), (.reallocBegin, 0x9990, 0, 9), (.realloc, 0x5000, 6, 10), (.free, 0x7770, 0, 11),
      ]
    ])
    #expect(
      events == [
        .allocate(byteCount: 8), .reallocate(object: 0, byteCount: 20), .deallocate(object: 1), .allocate(byteCount: 5),
        .deallocateEarlier, .allocate(byteCount: 6), .deallocateEarlier,
      ])
    #expect(outcome.earlierCount == 2)
  }

  /// A record of one word takes over the ticks before it; a record whose last word is missing is a hole.
  @Test func shortRecordsAndHoles() throws {
    let malloc = RawRecord(.malloc, address: 0x1000, size: 8, extra: 0, ticks: 10)
    let torn = RawRecord(.malloc, address: 0x5000, size: 8, extra: 0, ticks: 11)
    let free = try #require(RawRecord.word(.free, address: 0x1000, size: 0, extra: 0))
    let calloc = try #require(RawRecord.word(.calloc, address: 0x2000, size: 4095, extra: 15))
    let other = RawRecord(.malloc, address: 0x3000, size: 9, extra: 0, ticks: 15)
    let late = RawRecord(.free, address: 0x2000, size: 0, extra: 0, ticks: 20)
    let (events, _) = try Self.merge(
      file: Self.file(
        words: [
          [malloc.head, malloc.tail, free, 0, calloc, torn.head, 0, late.head, late.tail], [other.head, other.tail],
        ]))
    #expect(
      events == [
        .allocate(byteCount: 8), .deallocate(object: 0), .allocateZeroed(byteCount: 4095), .threadBecomes(number: 1),
        .allocate(byteCount: 9), .threadBecomes(number: 0), .deallocate(object: 1),
      ])
    for (address, size, extra) in [(0x1008, 1, 0), (0x1000, 4096, 0), (0x1000, 1, 16)] as [(UInt64, UInt64, UInt64)] {
      #expect(RawRecord.word(.malloc, address: address, size: size, extra: extra) == nil)
    }
  }
}
