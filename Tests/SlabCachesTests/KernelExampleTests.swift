import Addresses
import BuddyFrames
import Foundation
import LabTestSupport
import PageTables
import SlabCaches
import SpinLocks
import Testing

/// `cli` and `sti`, which no test may use: here a thread's signals stand for interrupts.
private typealias X86Interrupts = SignalInterrupts

// The example of docs/kernel-caches.md, between the two marks, to the letter.
// BEGIN

private typealias KernelLock = InterruptSafeLock<TicketLock, X86Interrupts>

private struct BlockRequest: SlabObject, ~Copyable {
  let lock = SpinLock()
  var sector: UInt64 = 0

  init() {}
}

private struct BlockLayer: ~Copyable {
  let frames: LockedFramesBy<KernelLock>
  let requests: SlabCache<BlockRequest, OffsetPhysMapper, KernelLock>

  /// For threads and interrupt handlers; `own` is the processor's. Nil when memory has run out.
  func begin(_ own: inout SlabMagazines) -> UnsafeMutablePointer<BlockRequest>? {
    X86Interrupts.withInterruptsDisabled { unsafe requests.allocate(through: &own, from: frames) }
  }

  func end(_ request: UnsafeMutablePointer<BlockRequest>, _ own: inout SlabMagazines) {
    X86Interrupts.withInterruptsDisabled { unsafe requests.deallocate(request, through: &own, to: frames) }
  }

  /// How many requests someone still holds.
  func unload(_ own: inout SlabMagazines) -> UInt {
    requests.drain(&own, to: frames)
    return requests.drain(to: frames)
  }
}
// END

@Suite struct KernelExampleTests {
  @Test func theExampleRuns() throws {
    let memory = SlabMemory(frameCount: 64)
    let table = TestMemory(byteCount: BuddyFrames.tableByteCount(for: memory.mapper.frames))
    let frames = LockedFramesBy<KernelLock>(
      BuddyFrames(over: memory.mapper.frames, tableIn: table.range, holding: .anything))
    let layer = BlockLayer(frames: frames, requests: SlabCache("block request", mapper: memory.mapper))
    var own = layer.requests.makeMagazines()
    let first = try unwrapped(layer.begin(&own))
    first.pointee.sector = 7
    var all = [first]
    while let request = layer.begin(&own) { all.append(request) }
    #expect(UInt(all.count) == 63 * layer.requests.layout.objectCount)
    while all.count > 1 { layer.end(all.removeLast(), &own) }
    let left = layer.unload(&own)
    #expect(left == 1)
    layer.end(first, &own)
    let end = layer.unload(&own)
    #expect(end == 0)
  }

  /// The document shows the code above.
  @Test func theDocumentShowsTheExample() throws {
    let source = try String(contentsOfFile: #filePath, encoding: .utf8)
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
    let document = try String(contentsOf: folder.appending(path: "../../docs/kernel-caches.md"), encoding: .utf8)
    let begin = try #require(source.range(of: "// BEGIN\n\n"))
    let end = try #require(source.range(of: "// END\n"))
    let example = source[begin.upperBound..<end.lowerBound].replacing("private ", with: "")
    #expect(document.contains("```swift\n\(example)```\n"))
  }
}
