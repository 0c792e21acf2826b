import Addresses
import FirstFitHeap
import LabTestSupport
import Testing

/// The heap against the shadow heap: no overlap, no lost content, correct figures.
@Suite struct FirstFitHeapShadowTests {
  @Test(arguments: [1, 2, 3, 4] as [UInt64], [200, 5000] as [UInt])
  func keepsWhatItPromises(seed: UInt64, largestByteCount: UInt) throws {
    let memory = TestMemory(byteCount: 300_000, offset: UInt(seed))
    var shadow = ShadowHeap<FirstFitHeap>(over: memory.range)
    do {
      try shadow.run(steps: 3000, seed: seed, liveCount: 100, largestByteCount: largestByteCount) {
        try $0.checkConsistency()
      }
    } catch {
      Issue.record("seed \(seed): \(error)")
    }
  }
}
