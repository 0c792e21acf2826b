import Addresses
import HeapBenchKit
import LabTestSupport
import MemoryProtocols
import Testing

@Suite struct ListHeapTests {
  @Test(arguments: [1, 2, 3] as [UInt64]) func keepsWhatItPromises(seed: UInt64) {
    Self.run(NextFit.self, seed)
    Self.run(BestFit.self, seed)
    Self.run(WorstFit.self, seed)
  }

  private static func run<Choice: HoleChoice>(_ choice: Choice.Type, _ seed: UInt64) {
    let memory = TestMemory(byteCount: 200_000, offset: UInt(seed))
    var shadow = ShadowHeap<ListHeap<Choice>>(over: memory.range)
    do {
      try shadow.run(steps: 3000, seed: seed, liveCount: 100, largestByteCount: 3000)
    } catch {
      Issue.record("\(choice), seed \(seed): \(error)")
    }
  }

  /// Holes of 96, 32 and 64 bytes, in this order, in front of the rest: which one does a block of 32 bytes get?
  private static func place<Choice: HoleChoice>(_ choice: Choice.Type) throws -> UInt {
    let memory = TestMemory(byteCount: 4096)
    var heap = ListHeap<Choice>(over: memory.range)
    var blocks: [VirtAddr] = []
    for byteCount in [88, 24, 24, 24, 56, 24] as [UInt] {
      let block = heap.allocate(byteCount: byteCount, alignment: 16)
      blocks.append(try #require(block))
    }
    for index in [0, 2, 4] { heap.deallocate(blocks[index]) }
    let found = heap.allocate(byteCount: 24, alignment: 16)
    let address = try #require(found)
    return address.raw - blocks[0].raw
  }

  @Test func eachChoiceTakesItsHole() throws {
    #expect(try Self.place(BestFit.self) == 96 + 32, "the hole of 32 bytes")
    #expect(try Self.place(WorstFit.self) == 96 + 3 * 32 + 64 + 32, "the rest of the memory")
    #expect(try Self.place(NextFit.self) == 96 + 3 * 32 + 64 + 32, "the hole behind the last block")
  }
}
