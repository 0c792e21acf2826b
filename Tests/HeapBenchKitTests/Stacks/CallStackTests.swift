import AllocationTraces
import Foundation
import Testing

@testable import HeapBenchKit

@Suite struct CallStackTests {
  @Test func aTableSurvivesTheTrace() throws {
    try WorkloadFiles.withFolder([:]) { folder in
      try StackFixture.write(to: "\(folder)/t.hltrace")
      let table = try TraceFile(path: "\(folder)/t.hltrace").callStacks()
      #expect(table.frames == StackFixture.table().frames)
      #expect(table.stacks == [[], [1, 0], [2, 0], [3]])
      #expect(table.frames(of: 3).map(\.name) == ["libx.so+0x1f"])
      #expect(table.frames(of: 99).isEmpty)
    }
  }

  @Test func aTableIsCutAtLines() {
    let pieces = StackFixture.table().encoded(byteCountMax: 120)
    #expect(pieces.count > 3 && pieces.allSatisfy { $0.count <= 120 && $0.last == 0x0A })
    var table = CallStackTable()
    for piece in pieces {
      let isRead = table.decode(piece.span)
      #expect(isRead)
    }
    #expect(table.stacks.count == 4)
    for wrong in ["{", #"{"frame":5,"offset":1}"#, #"{"stack":4,"frames":[9]}"#, #"{"stack":9,"frames":[0]}"#] {
      let bytes = Array(wrong.utf8)
      let isRead = table.decode(bytes.span)
      #expect(!isRead, "\(wrong)")
    }
  }

  @Test func sitesAreThoseOfThePeak() throws {
    try WorkloadFiles.withFolder([:]) { folder in
      try StackFixture.write(to: "\(folder)/t.hltrace")
      let sites = try #require(try CallSites(of: TraceFile(path: "\(folder)/t.hltrace"), countMax: 10))
      #expect(sites.peakLiveByteCount == 300 && sites.siteCount == 2)
      #expect(sites.sites.map(\.functions) == [["leaf", "main"], ["other", "main"]])
      #expect(sites.sites.map(\.liveByteCount) == [200, 100])
    }
  }

  @Test func samplesStandForMore() throws {
    try WorkloadFiles.withFolder([:]) { folder in
      try StackFixture.write(to: "\(folder)/t.hltrace", weight: 3)
      let sites = try #require(try CallSites(of: TraceFile(path: "\(folder)/t.hltrace"), countMax: 1))
      #expect(sites.peakLiveByteCount == 900)
      #expect(sites.sites.map(\.liveCount) == [3])
      let lines = sites.text.split(separator: "\n")
      #expect(
        lines == [
          "live at the peak, estimated from samples: 900 B of 2 call stacks", "  600 B · 3 blocks · 3 allocations",
          "    leaf ← main",
        ])
    }
  }

  @Test func exportsCarryTheStack() throws {
    try WorkloadFiles.withFolder([:]) { folder in
      try StackFixture.write(to: "\(folder)/t.hltrace", weight: 2)
      for format in [TraceConversion.Format.jsonl, .csv] {
        _ = try TraceConversion.convert("\(folder)/t.hltrace", .hltrace, to: "\(folder)/t.text", format)
        let lines = try String(contentsOfFile: "\(folder)/t.text", encoding: .utf8).split(separator: "\n")
        if format == .jsonl {
          #expect(lines[0] == #"{"frames":["libx.so+0x1f"],"op":"stack","stack":3}"#)
          #expect(
            lines[1]
              == #"{"op":"malloc","thread":0,"microseconds":0,"object":0,"size":50,"weight":2.000,"stack":3}"#)
          let back = try TraceConversion.convert("\(folder)/t.text", .jsonl, to: "\(folder)/b.hltrace", .hltrace)
          #expect(back.callCount == 6)
        } else {
          #expect(lines[0].hasSuffix(",alignment,weight,stack"))
          #expect(lines[2] == #"malloc,0,0,1,,100,,2.000,"main;other""#)
        }
      }
    }
  }

  @Test func mapsAreReadAndAddressesFound() {
    let maps = ProcessMaps(
      """
      1000-3000 r-xp 00002000 08:01 12 /usr/lib/a b.so
      3000-4000 rw-p 00000000 00:00 0
      7000-8000 r-xp 00000000 08:01 12                         /usr/bin/c
      """, ticks: 5)
    #expect(maps.ranges.map(\.path) == ["/usr/lib/a b.so", "/usr/bin/c"])
    #expect(maps.range(of: 0x2FFF)?.fileOffset == 0x2000)
    for none in [0xFFF, 0x3000, 0x6FFF, 0x8000] as [UInt64] { #expect(maps.range(of: none) == nil) }
  }

  /// This process's own code: its segments map file offsets to the addresses that its symbols have.
  @Test func swiftNamesAreDemangled() throws {
    let symbolizer = try #require(Symbolizer(), "llvm-symbolizer comes with Swift and with llvm")
    let maps = ProcessMaps(String(decoding: try Self.maps(), as: UTF8.self), ticks: 0)
    let address = UInt64(UInt(bitPattern: unsafe dlsym(nil, "swift_retain")))
    let range = try #require(maps.range(of: address))
    let offset = ModuleSegments(path: range.path).virtualAddress(
      ofFileOffset: address - range.addresses.lowerBound + range.fileOffset)
    var frames = [CallStackTable.Frame(module: range.path, offset: offset + 1)]
    symbolizer.name(&frames)
    #expect(frames[0].function == "swift_retain")
  }

  private static func maps() throws -> Data {
    try FileHandle(forReadingFrom: URL(filePath: "/proc/self/maps")).readToEnd() ?? Data()
  }
}
