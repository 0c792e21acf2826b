import Addresses
import LabTestSupport
import PageTables
import Testing

/// Random changes of an address space against a plain array of pages, with frames that run out at any time.
@Suite struct AddressSpaceModelTests {
  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func behavesAsAnArrayOfPages(seed: UInt64) throws {
    try run(X86FourLevel.self, at: VirtAddr(0x7F00_0000_0000), seed)
  }

  @Test func behavesSoUpToTheLastAddress() throws {
    try run(AArch64Upper.self, at: VirtAddr(0 &- SpaceModel.pageCount * 4096), 5)
  }

  private func run<Format: PageTableFormat>(_ format: Format.Type, at start: VirtAddr, _ seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var frames = TestFrames(byteCount: 16 << 20)
    let managed = AddrRange(start: start, through: start + (SpaceModel.pageCount * 4096 - 1))
    let space = try AddressSpace<Format, OffsetPhysMapper>(
      managing: managed, mapper: frames.mapper, policy: .never, &frames)
    var trial = SpaceTrial<Format>(space, start, &frames)
    let caches = trial.process.attachCaches(&frames)
    for step in 0..<2500 {
      // Every third step has no frames, or few.
      frames.allocationsLeft = step % 3 == 0 ? Int.random(in: 0...3, using: &generator) : nil
      trial.step(&generator, &frames)
      frames.allocationsLeft = nil
      if step % 50 == 0 || step > 2450 {
        trial.check()
        caches.observe()
        caches.checkMarks(trial.process.space.table)
        trial.finding = trial.finding ?? caches.findings.first
      }
      if let finding = trial.finding {
        Issue.record("seed \(seed), step \(step): \(finding)")
        break
      }
    }
    frames.watchers = []
    trial.end(&frames)
    let left = frames.usedCount
    #expect(left == 0, "seed \(seed)")
  }
}
