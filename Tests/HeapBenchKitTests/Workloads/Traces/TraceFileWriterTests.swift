import AllocationTraces
import Foundation
import LabTestSupport
import Testing

@testable import HeapBenchKit

@Suite struct TraceFileWriterTests {
  /// A trace of two blocks and more, as bytes.
  static func longTrace() throws -> [UInt8] {
    try WorkloadFiles.withFolder([:]) { folder in
      let path = folder + "/long.hltrace"
      let writer = try TraceFileWriter(path: path, TraceText(program: "p", command: "c"), columns: [.times])
      var generator = SeededGenerator(seed: 1)
      for object in 0..<200_000 as Range<UInt64> {
        try writer.append(.allocate(byteCount: generator.next() >> 40), nanoseconds: object * 100, .none)
        if object % 3 == 0 { try writer.append(.deallocate(object: object), nanoseconds: object * 100 + 50, .none) }
      }
      try writer.finish(TraceText(program: "p", command: "c"))
      return [UInt8](try Data(contentsOf: URL(filePath: path)))
    }
  }

  @Test func aLongTraceReadsBack() throws {
    let bytes = try Self.longTrace()
    try WorkloadFiles.withFile("t.hltrace", bytes) { path in
      let trace = try TraceFile(path: path)
      #expect(trace.version == 2)
      #expect(trace.isWhole)
      #expect(trace.summary == "p, c, recorded")
      #expect(trace.text.counts["events"] == 266_667)
      let workload = try trace.workload()
      #expect(workload.steps.count == 266_667)
      let index = try #require(TraceIndex(of: MappedFile(path)))
      #expect(index.entries.count >= 2)
      let last = try #require(index.entries.last)
      #expect(index.entry(atNanoseconds: last.nanoseconds + 1) == last)
      #expect(index.entry(atNanoseconds: last.nanoseconds - 1) != last)
    }
  }

  @Test func aTruncatedTraceGivesWhatIsWhole() throws {
    let bytes = try Self.longTrace()
    let whole = try WorkloadFiles.withFile("t.hltrace", bytes) { try TraceFile(path: $0).workload() }
    for count in [100, 1000, bytes.count / 2, bytes.count - 1000, bytes.count - 1] {
      try WorkloadFiles.withFile("t.hltrace", Array(bytes[..<count])) { path in
        let trace = try TraceFile(path: path)
        #expect(!trace.isWhole)
        let workload = try trace.workload()
        #expect(workload.steps.elementsEqual(whole.steps.prefix(workload.steps.count)))
        if count >= bytes.count - 1000 { #expect(workload.steps.count > 100_000) }
      }
    }
  }

  @Test(arguments: 0..<64) func aFlippedByteIsNamed(seed: UInt64) throws {
    var bytes = try Self.longTrace()
    var generator = SeededGenerator(seed: seed)
    let place = Int.random(in: 8..<bytes.count, using: &generator)
    bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
    let message = try TraceFileTests.message(loading: bytes)
    #expect(message?.contains("damaged") == true, "byte \(place): \(message ?? "nothing was found")")
  }

  @Test func aNewerVersionIsCalledNewer() throws {
    #expect(
      try TraceFileTests.message(loading: Array("HLTRACE3".utf8) + [1, 2, 3])
        == "trace 't.hltrace' byte 7: a trace of version 3, which is newer than this reader, of version 2; use a newer heaplab"
    )
  }

  @Test func aMissingBlockIsNamed() throws {
    let bytes = try Self.longTrace()
    let entries = try WorkloadFiles.withFile("t.hltrace", bytes) {
      try #require(TraceIndex(of: MappedFile($0))).entries
    }
    let (start, end) = (Int(entries[0].offset), Int(entries[1].offset))
    let message = try TraceFileTests.message(loading: Array(bytes[..<start] + bytes[end...]))
    #expect(
      message == "trace 't.hltrace' byte \(start): an events block is missing before this one; copy or record it again")
  }

  @Test func aDeviceIsNoTrace() {
    #expect {
      try TraceFile(path: "/dev/zero")
    } throws: { error in
      "\(error)" == "trace '/dev/zero' cannot be read: it is no regular file; copy what it holds to one"
    }
  }

  @Test(arguments: ["perl-hash", "node-zlib-threads"]) func aConvertedTraceHasTheSameSteps(_ name: String) throws {
    try WorkloadFiles.withFolder([:]) { folder in
      let old = WorkloadFiles.trace(name)
      let new = folder + "/\(name).hltrace"
      _ = try TraceConversion.convert(old, .hltrace, to: new, .hltrace)
      let (before, after) = (try TraceFile(path: old), try TraceFile(path: new))
      #expect(after.byteCount * 3 < before.byteCount * 2)
      #expect(before.text.counts == after.text.counts)
      #expect(before.summary == after.summary)
      let (workload, converted) = (try before.workload(), try after.workload())
      #expect(workload.digest == converted.digest)
    }
  }
}
