import GeneralHeap
import LabTestSupport
import Testing

/// The heap held against the shadow heap: no overlap, no lost content, honest figures.
@Suite("The general heap against its shadow")
struct GeneralHeapShadowTests {
  @Test("keeps what it promises", arguments: [1, 2, 3, 4] as [UInt64], [200, 5000, 60_000, 400_000] as [UInt])
  func keepsWhatItPromises(seed: UInt64, largestByteCount: UInt) throws {
    let memory = TestMemory(byteCount: 24 << 20, offset: UInt(seed))
    var shadow = ShadowHeap<GeneralHeap>(over: memory.range)
    do {
      try shadow.run(steps: 3000, seed: seed, liveCount: 100, largestByteCount: largestByteCount)
    } catch {
      Issue.record("seed \(seed): \(error)")
    }
  }
}
