import Addresses
import HeapBenchKit
import LabTestSupport
import Testing

@Suite struct PlainListHeapTests {
  @Test(arguments: [1, 2, 3] as [UInt64])
  func keepsWhatItPromises(seed: UInt64) throws {
    let memory = TestMemory(byteCount: 200_000, offset: UInt(seed))
    var shadow = ShadowHeap<PlainListHeap>(over: memory.range)
    do {
      try shadow.run(steps: 3000, seed: seed, liveCount: 100, largestByteCount: 3000)
    } catch {
      Issue.record("seed \(seed): \(error)")
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func givesTheAddressesOfFirstFit(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let memory = TestMemory(byteCount: 100_000)
    var heap = PlainListHeap(over: memory.range)
    var model = PlainFirstFit()
    model.insert(memory.range)
    var live: [VirtAddr] = []
    for step in 0..<5000 {
      let byteCount = UInt.random(in: 0..<2000, using: &generator)
      if live.isEmpty || Int.random(in: 0..<160, using: &generator) >= live.count {
        let alignment: UInt = 1 << UInt.random(in: 0...9, using: &generator)
        let address = heap.allocate(byteCount: byteCount, alignment: alignment)
        if let address { live.append(address) }
        let expected = model.allocate(byteCount: byteCount, alignment: alignment)
        #expect(address == expected, "seed \(seed), step \(step)")
      } else if Bool.random(using: &generator) {
        let address = live[Int.random(in: 0..<live.count, using: &generator)]
        let did = heap.resize(address, toByteCount: byteCount)
        let expected = model.resize(address, toByteCount: byteCount)
        #expect(did == expected, "seed \(seed), step \(step)")
      } else {
        let address = live.remove(at: Int.random(in: 0..<live.count, using: &generator))
        heap.deallocate(address)
        model.deallocate(address)
      }
    }
  }
}
