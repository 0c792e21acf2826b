import Addresses
import Glibc
import LabTestSupport
import Testing

@testable import PageTables

@Suite struct RegionTreeTests {
  /// Random changes and searches against a sorted array, with frames that run out at any time.
  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func behavesAsASortedArray(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var frames = TestFrames()
    var trial = TreeTrial(&frames)
    for step in 0..<12_000 {
      // Phases of growth and of decline.
      trial.step(UInt(step), grows: step / 3000 % 2 == 0, &generator, &frames)
      if step % 500 == 0 || step > 11_990 { trial.check(&generator) }
      if let finding = trial.finding {
        Issue.record("seed \(seed), step \(step): \(finding)")
        return
      }
    }
    trial.end(&generator, &frames)
    let left = frames.usedCount
    #expect(left == 0, "seed \(seed)")
  }

  @Test func aHundredThousandRecordsTakeFewFrames() {
    var frames = TestFrames(byteCount: 32 << 20)
    var tree = emptyTree(&frames)
    for index in 0..<UInt(100_000) {
      let inserted = tree.insert(TestRecord(index * 2, 1), &frames)
      #expect(inserted)
    }
    // Ascending addresses fill each leaf: 170 records of 24 bytes, so 589 leaves.
    let frameCount = tree.frameCount
    #expect(frames.usedCount == frameCount)
    #expect(frameCount <= 596)
    for index in 0..<UInt(100_000) where index % 16 != 0 {
      tree.remove(TestRecord(index * 2, 1), &frames)
    }
    let offence = tree.offence()
    #expect(offence == nil)
    // Four times the 37 full leaves of 6,250 records.
    let fewerCount = tree.frameCount
    #expect(frames.usedCount == fewerCount)
    #expect(fewerCount <= 148)
    for index in stride(from: UInt(0), to: 100_000, by: 16) {
      tree.remove(TestRecord(index * 2, 1), &frames)
    }
    let isEmpty = tree.frameCount == 1 && tree.first == nil
    #expect(isEmpty)
    tree.deallocate(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func aCopyNeedsAllItsFramesOrTakesNone() {
    var frames = TestFrames()
    var tree = emptyTree(&frames)
    for index in 0..<UInt(1000) {
      let inserted = tree.insert(TestRecord(index * 2, 1), &frames)
      #expect(inserted)
    }
    let before = frames.usedCount
    for allowed in 0..<tree.frameCount {
      frames.allocationsLeft = allowed
      let isCopied = copyAndFree(tree, &frames)
      #expect(!isCopied)
      #expect(frames.usedCount == before)
    }
    frames.allocationsLeft = nil
    let isCopied = copyAndFree(tree, &frames)
    #expect(isCopied)
    #expect(frames.usedCount == before)
    tree.deallocate(&frames)
  }

  /// Whether there were frames for a copy.
  private func copyAndFree(_ tree: borrowing TestTree, _ frames: inout TestFrames) -> Bool {
    guard let copy = tree.copy(&frames) else { return false }
    copy.deallocate(&frames)
    return true
  }

  @Test func brokenContractsTrap() async {
    let overlap = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var frames = TestFrames()
      var tree = emptyTree(&frames)
      _ = tree.insert(TestRecord(4, 2), &frames)
      _ = tree.insert(TestRecord(5, 2), &frames)
    }
    #expect(text(of: overlap) == "heaplab: a region must not overlap another, found: 0x5000\n")
    let missing = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var frames = TestFrames()
      var tree = emptyTree(&frames)
      tree.remove(TestRecord(4, 2), &frames)
    }
    #expect(text(of: missing) == "heaplab: a region must be in the tree, found: 0x4000\n")
  }
}
