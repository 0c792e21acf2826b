import Foundation
import Testing

@testable import HeapBenchKit

/// What readings say of processes that cannot be read, and what follows from the figures. scripts/test-telemetry reads
/// real heaps.
@Suite struct HeapReaderTests {
  @Test func aProcessWithoutTheLibraryIsNamed() {
    let failure = #expect(throws: TelemetryError.self) { try HeapReader(process: getpid()) }
    #expect(failure == .noLibrary(getpid()))
    #expect(TelemetryError.noLibrary(7).description.hasPrefix("process 7 does not run on libheaplab.so"))
    // Numbers end below 2^22.
    #expect(throws: TelemetryError.noProcess(1 << 23)) { try HeapReader(process: 1 << 23) }
  }

  @Test func theLibraryIsFoundByItsFirstMapping() {
    let maps = """
      55d0c0a00000-55d0c0a21000 r--p 00000000 08:01 12 /usr/bin/app
      7f0000000000-7f0000010000 r--p 00000000 08:01 13 /opt/heap lab/libheaplab.so.0 (deleted)
      7f0000010000-7f0000030000 r-xp 00010000 08:01 13 /opt/heap lab/libheaplab.so.0 (deleted)
      """
    #expect(LoadedLibrary.base(in: maps) == 0x7f00_0000_0000)
    #expect(LoadedLibrary.base(in: maps.replacing("libheaplab.so", with: "libheaplab-record.so")) == nil)
  }

  @Test func retainedAndFragmentedAreTheUnusedPartsOfTheResidentMemory() {
    var reading = HeapReading(process: 1)
    reading.spanResidentByteCount = 1000
    reading.freeResidentByteCount = 100
    reading.liveByteCount = 300
    reading.spareByteCount = 200
    #expect(reading.residentByteCount == 1100)
    #expect(reading.retainedByteCount == 300 && reading.fragmentedByteCount == 500)
    // More live than resident: pages that were handed out and nobody touched.
    reading.liveByteCount = 2000
    #expect(reading.retainedByteCount == 0 && reading.fragmentedByteCount == 0)
  }

  @Test func aMappingOfTheHeapMemoryOfThisProcessIsRead() throws {
    let words: [UInt64] = [1, 2, 3]
    let memory = ProcessMemory(process: getpid())
    // SAFETY: the address is used while the array lives.
    let copied = try unsafe words.withUnsafeBufferPointer { buffer in
      let address = UInt64(UInt(bitPattern: buffer.baseAddress))
      return try memory.words(at: [address + 16, address])
    }
    #expect(copied == [3, 1])
    #expect(throws: TelemetryError.changed(getpid())) { try memory.words(at: [16]) }
  }

  @Test func aProcessIsKnownByItsStart() throws {
    let mine = try #require(HostProcess(getpid()))
    #expect(mine.startTicks > 0 && mine.residentByteCount > 1 << 20 && !mine.name.isEmpty)
    #expect(HostProcess.all.contains(getpid()))
  }

  @Test(arguments: [
    (true, 100.0, 100.0, FleetReport.Verdict.leak), (false, 60, 10, .retained), (false, 10, 60, .fragmented),
    (false, 10, 10, .none), (false, 50, 50, .retained),
  ])
  func verdicts(_ leaks: Bool, _ retained: Double, _ fragmented: Double, _ verdict: FleetReport.Verdict) {
    let unit = Double(1 << 20)
    #expect(
      FleetReport.verdict(leaks: leaks, resident: 120 * unit, retained: retained * unit, fragmented: fragmented * unit)
        == verdict)
  }
}
