import Addresses
import BuddyFrames
import LabTestSupport
import Testing

/// Contiguous runs for devices, against a search that tries every frame.
@Suite struct ConstrainedRunsTests {
  private static let range = AddrRange<PhysAddr>(frames: 3000, from: 1000)

  private func lowest(
    _ model: FrameModel, _ frameCount: UInt64, alignment: UInt64, _ bounds: AddrRange<PhysAddr>, _ boundary: UInt64?
  ) -> AddrRange<PhysAddr>? {
    for frame in model.first..<model.first + UInt64(model.isFree.count) {
      let run = AddrRange<PhysAddr>(frames: frameCount, from: frame)
      guard run.start.isAligned(to: alignment), bounds.contains(run), model.isWhollyFree(frame, frameCount) else {
        continue
      }
      if let boundary, run.start.raw / boundary != (run.end.raw - 1) / boundary { continue }
      return run
    }
    return nil
  }

  @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6])
  func findsTheLowestRunThatMeetsAll(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let table = TableMemory(for: Self.range)
    var frames = table.frames(over: Self.range)
    var model = FrameModel(frames: 3000, from: 1000)
    var live: [AddrRange<PhysAddr>] = []
    for step in 0..<600 {
      if live.count > 40 || (Int.random(in: 0..<3, using: &random) == 0 && !live.isEmpty) {
        let run = live.remove(at: Int.random(in: 0..<live.count, using: &random))
        frames.deallocate(run)
        for address in model.blocks.keys.filter({ run.contains($0) }) { model.deallocate(address) }
        continue
      }
      let frameCount = UInt64.random(in: 1...(1 << UInt64.random(in: 0...10, using: &random)), using: &random)
      let alignment = UInt64(4096) << UInt64.random(in: 0...9, using: &random)
      let boundary = Bool.random(using: &random) ? UInt64(4096) << UInt64.random(in: 0...10, using: &random) : nil
      let start = UInt64.random(in: 0..<4000, using: &random)
      let bounds = AddrRange<PhysAddr>(frames: UInt64.random(in: 0...4000, using: &random), from: start)
      let constraints = FrameRunConstraints(alignment: alignment, within: bounds, boundary: boundary)
      let expected = lowest(model, frameCount, alignment: alignment, bounds, boundary)
      let found = frames.allocate(frameCount: frameCount, constraints)
      try #require(found == expected, "seed \(seed), step \(step)")
      if let found {
        model.allocate(frames: frameCount, at: found.start)
        live.append(found)
      }
    }
    try frames.checkConsistency()
  }

  /// Runs longer than the largest block, and across the borders of blocks.
  @Test func findsRunsOfManyBlocks() throws {
    let range = AddrRange<PhysAddr>(0x4000_1000, 0x4000_0000 + (6 << 30))
    let table = TableMemory(for: range)
    var frames = table.frames(over: range)
    let run = try unwrapped(frames.allocate(frameCount: 3 << 18, FrameRunConstraints(alignment: 2 << 20)))
    #expect(run == AddrRange(start: PhysAddr(0x4020_0000), byteCount: 3 << 30))
    #expect(frames.allocate(frameCount: 4 << 18, FrameRunConstraints()) == nil)
    frames.deallocate(run)
    try frames.checkConsistency()
  }

  @Test func aRunLongerThanItsBoundaryIsNeverFound() {
    let table = TableMemory(for: Self.range)
    var frames = table.frames(over: Self.range)
    #expect(frames.allocate(frameCount: 17, FrameRunConstraints(boundary: 0x10000)) == nil)
    #expect(frames.allocate(frameCount: 16, FrameRunConstraints(boundary: 0x10000))?.start == PhysAddr(0x3F_0000))
    #expect(frames.allocate(frameCount: 1, FrameRunConstraints(within: AddrRange(0, 0x3E_8000))) == nil)
  }
}
