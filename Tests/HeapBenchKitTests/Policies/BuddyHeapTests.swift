import Addresses
import LabTestSupport
import Testing

@testable import HeapBenchKit

@Suite struct BuddyHeapTests {
  @Test(arguments: [1, 2, 3] as [UInt64])
  func keepsWhatItPromises(seed: UInt64) throws {
    let memory = TestMemory(byteCount: 8 << 20)
    var shadow = ShadowHeap<BuddyHeap>(over: memory.range)
    do {
      try shadow.run(steps: 1500, seed: seed, liveCount: 60, largestByteCount: 60_000)
    } catch {
      Issue.record("seed \(seed): \(error)")
    }
  }

  @Test func everyRequestIsAPowerOfTwoOfFrames() throws {
    let memory = TestMemory(byteCount: 4 << 20)
    var heap = BuddyHeap(over: memory.range)
    for (request, granted) in [(0, 4096), (1, 4096), (4096, 4096), (4097, 8192), (20_000, 32_768)] as [(UInt, UInt)] {
      let block = heap.allocate(byteCount: request, alignment: 16)
      let address = try #require(block)
      let usable = heap.usableByteCount(of: address)
      #expect(usable == granted)
      #expect(address.isAligned(to: 4096))
    }
    let used = heap.statistics.usedByteCount
    #expect(used == 4096 * 3 + 8192 + 32_768)
    let tooLarge = heap.allocate(byteCount: (1 << 30) + 1, alignment: 16)
    #expect(tooLarge == nil)
  }

  @Test func aResizedBlockGivesHalvesBack() throws {
    let memory = TestMemory(byteCount: 4 << 20)
    var heap = BuddyHeap(over: memory.range)
    let block = heap.allocate(byteCount: 65_536, alignment: 16)
    let address = try #require(block)
    let shrank = heap.resize(address, toByteCount: 10_000)
    #expect(shrank)
    let usable = heap.usableByteCount(of: address)
    #expect(usable == 16_384)
    let used = heap.statistics.usedByteCount
    #expect(used == 16_384)
    let grew = heap.resize(address, toByteCount: 16_385)
    #expect(!grew)
    heap.deallocate(address)
    let left = heap.statistics.usedByteCount
    #expect(left == 0)
  }

  @Test func anAddressThatIsNoBlocksEndsTheProcess() async {
    let result = await #expect(processExitsWith: .signal(6), observing: [\.standardErrorContent]) {
      let memory = TestMemory(byteCount: 4 << 20)
      var heap = BuddyHeap(over: memory.range)
      if let address = heap.allocate(byteCount: 8192, alignment: 16) { heap.deallocate(address + 4096) }
    }
    #expect(text(of: result).contains("this address is no block of the buddy heap: 0x"))
  }
}
