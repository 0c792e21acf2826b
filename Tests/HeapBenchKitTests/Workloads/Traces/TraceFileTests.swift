import Foundation
import HeapBenchKit
import Testing

@Suite struct TraceFileTests {
  /// A trace with this header text and these event bytes.
  static func trace(_ text: String, _ events: [UInt8]) -> [UInt8] {
    Array("HLTRACE1".utf8) + [UInt8(text.utf8.count), 0, 0, 0] + Array(text.utf8) + events
  }

  /// The error message of loading `bytes` as `t.hltrace`, without the folder; nil when they load.
  static func message(loading bytes: [UInt8]) throws -> String? {
    try WorkloadFiles.withFile("t.hltrace", bytes) { path in
      do {
        _ = try TraceFile(path: path).workload()
        return nil
      } catch let error as TraceFileError {
        return error.description.replacing(path, with: "t.hltrace")
      }
    }
  }

  @Test func stepsKeepTheNumberOfAReallocatedObject() throws {
    let bytes = Self.trace(
      #"{"program": "p", "command": "c", "peakLiveBytes": 4113}"#,
      [6, 0, 0, 5, 1, 0x80, 0x20, 12, 3, 1, 10, 5, 0xE8, 0x07, 6, 1, 2, 7, 4, 2, 4, 1])
    let workload = try WorkloadFiles.withFile("t.hltrace", bytes) { try TraceFile(path: $0).workload() }
    #expect(workload.name == "t")
    #expect(workload.summary == "p, c, recorded")
    #expect(workload.threadCount == 2)
    #expect(workload.objectCount == 3)
    #expect(
      Array(workload.steps) == [
        WorkloadStep(.allocate, object: 0, amount: 5),
        WorkloadStep(.allocate, object: 1, amount: 4096, alignmentLog2: 12),
        WorkloadStep(.reallocate, object: 0, amount: 10),
        WorkloadStep(.pause, amount: 1000),
        WorkloadStep(.allocateZeroed, object: 2, amount: 7, thread: 1),
        WorkloadStep(.deallocate, object: 1, thread: 1),
        WorkloadStep(.deallocate, object: 0, thread: 1),
      ])
  }

  static let flaws: [(String, [UInt8], String)] = [
    ("foreign", Array("\u{7F}ELF".utf8), "byte 0: no allocation trace: it must start with HLTRACE1 or HLTRACE2"),
    ("empty", [], "byte 0: the trace ends within its header; copy or record it again"),
    ("no JSON", trace("{", []), "byte 12: the header's text must be a JSON object; copy or record it again"),
    ("a list", trace("[]", []), "byte 12: the header's text must be a JSON object; copy or record it again"),
    ("cut off", trace("{}", [0, 0x80]), "byte 16: the trace ends within an event; copy or record it again"),
    (
      "freed twice", trace("{}", [0, 1, 4, 0, 4, 0]),
      "byte 18: object 0 is used after it was freed; the trace is damaged, copy or record it again"
    ),
    (
      "freed after it was reallocated", trace("{}", [0, 1, 3, 0, 2, 4, 1]),
      "byte 19: object 0 is used after it was freed; the trace is damaged, copy or record it again"
    ),
    (
      "reallocated after it was freed", trace("{}", [0, 1, 4, 0, 3, 0, 2]),
      "byte 18: object 0 is used after it was freed; the trace is damaged, copy or record it again"
    ),
    (
      "never allocated", trace("{}", [0, 1, 4, 1]),
      "byte 17: an event names the object 1 before the newest of 1; the trace is damaged"
    ),
    (
      "a thread left out", trace("{}", [6, 2]),
      "byte 14: a thread must be numbered 0…1 here, found 2; the trace is damaged"
    ),
    (
      "more bytes than 2^64",
      trace("{}", [0, 1, 0] + [UInt8](repeating: 0xFF, count: 9) + [1]),
      "byte 16: the live objects pass 2^64 bytes; the trace is damaged, copy or record it again"
    ),
    (
      "cut off between events", trace(#"{"events": 3}"#, [0, 1, 4, 0]),
      "has 2 events where its header counts 3; it was cut off, copy or record it again"
    ),
    (
      "another peak", trace(#"{"peakLiveBytes": 7}"#, [0, 8]),
      "has 8 peakLiveBytes where its header counts 7; it was cut off, copy or record it again"
    ),
  ]

  @Test(arguments: flaws) func aFlawIsOneLineWithFilePlaceAndRemedy(
    _ flaw: String, bytes: [UInt8], clause: String
  ) throws {
    #expect(try Self.message(loading: bytes) == "trace 't.hltrace' \(clause)", "\(flaw)")
  }

  @Test func aMissingFileIsSaidToBeMissing() {
    #expect {
      try TraceFile(path: "/nowhere/at-all.hltrace")
    } throws: { error in
      "\(error)" == "trace '/nowhere/at-all.hltrace' cannot be read: No such file or directory"
    }
  }

  @Test func aFolderIsNoTrace() throws {
    try WorkloadFiles.withFolder([:]) { path in
      #expect {
        try TraceFile(path: path)
      } throws: { error in
        "\(error)" == "trace '\(path)' cannot be read: Is a directory"
      }
    }
  }

  @Test func everyTruncationIsReported() throws {
    let bytes = Self.trace(
      #"{"events": 6}"#, [6, 0, 0, 0x80, 1, 1, 8, 4, 5, 0xE8, 7, 2, 9, 3, 1, 200, 1, 6, 1, 4, 0, 4, 1])
    #expect(try Self.message(loading: bytes) == nil)
    for count in 0..<bytes.count {
      #expect(try Self.message(loading: Array(bytes[..<count])) != nil, "cut at \(count)")
    }
  }

  /// The name, the events without time and thread marks, the workload's objects, and the threads.
  static let recorded: [(String, Int, Int, Int)] = [
    ("cc1plus-stl", 1_500_000, 767_531, 1), ("node-zlib-threads", 1_000_000, 525_177, 10),
    ("perl-hash", 355_647, 142_335, 1), ("python-json", 1_500_000, 849_716, 1), ("sqlite-oltp", 431_977, 215_064, 1),
  ]

  @Test(arguments: recorded) func aRecordedTraceIsAWorkload(
    _ name: String, eventCount: Int, objectCount: Int, threadCount: Int
  ) throws {
    let workload = try TraceFile(path: WorkloadFiles.trace(name)).workload()
    #expect(workload.name == name)
    #expect(workload.steps.count { $0.kind != .pause } == eventCount)
    #expect(workload.objectCount == objectCount)
    #expect(workload.threadCount == threadCount)
    #expect(brokenPromise(of: workload) == nil)
  }
}
