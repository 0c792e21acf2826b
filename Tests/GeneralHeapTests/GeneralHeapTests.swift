import Addresses
import LabTestSupport
import Testing

@testable import GeneralHeap

/// A block that the test holds, and the byte it is filled with.
private struct HeldBlock {
  var address: VirtAddr
  var byteCount: UInt
  var fill: UInt8

  private var bytes: UnsafeMutableRawBufferPointer {
    // SAFETY: as above.
    unsafe UnsafeMutableRawBufferPointer(start: address.pointer, count: Int(byteCount))
  }

  func write() {
    // SAFETY: the block is the test's, and this long.
    unsafe bytes.initializeMemory(as: UInt8.self, repeating: fill)
  }

  /// Whether the first `count` bytes are still the block's; of a large block some are looked at, all along it.
  func isIntact(_ count: UInt) -> Bool {
    for index in stride(from: 0, to: Int(count), by: count > 512 ? 61 : 1) {
      // SAFETY: as above.
      if unsafe bytes[index] != fill { return false }
    }
    return true
  }
}

@Suite("The general heap as a value")
struct GeneralHeapTests {
  @Test("Random operations keep every block apart and intact", arguments: [UInt64(1), 2, 3])
  func randomOperations(seed: UInt64) {
    let memory = TestMemory(byteCount: 64 << 20)
    var heap = GeneralHeap(over: memory.range)
    var generator = SeededGenerator(seed: seed)
    var held: [HeldBlock] = []
    for step in 0..<8_000 {
      if held.count < 300 || Bool.random(using: &generator) && held.count < 2000 {
        let largest: UInt = [64, 600, 9000, 200_000][Int.random(in: 0..<4, using: &generator)]
        let byteCount = UInt.random(in: 0...largest, using: &generator)
        let alignment = UInt(1) << UInt.random(in: 0...13, using: &generator)
        guard let address = heap.allocate(byteCount: byteCount, alignment: alignment) else {
          if !held.isEmpty { heap.deallocate(held.removeLast().address) }
          continue
        }
        #expect(address.isAligned(to: max(16, alignment)), "seed \(seed) step \(step)")
        #expect(heap.usableByteCount(of: address) >= byteCount, "seed \(seed) step \(step)")
        held.append(HeldBlock(address: address, byteCount: byteCount, fill: .random(in: 0...255, using: &generator)))
        held[held.count - 1].write()
      } else {
        let index = Int.random(in: 0..<held.count, using: &generator)
        let block = held[index]
        if !block.isIntact(block.byteCount) { Issue.record("seed \(seed) step \(step): content of \(block.address)") }
        if step % 5 == 0, block.byteCount > 0 {
          let wanted = UInt.random(in: 1...block.byteCount * 2, using: &generator)
          if heap.resize(block.address, toByteCount: wanted) {
            if !block.isIntact(min(wanted, block.byteCount)) { Issue.record("seed \(seed) step \(step): resize") }
            held[index].byteCount = wanted
            held[index].write()
          }
        } else {
          heap.deallocate(block.address)
          held.swapAt(index, held.count - 1)
          held.removeLast()
        }
      }
      if step % 1000 == 999 { checkLayout(heap, held, "seed \(seed) step \(step)") }
    }
    for block in held {
      if !block.isIntact(block.byteCount) { Issue.record("seed \(seed): content of \(block.address) at the end") }
      heap.deallocate(block.address)
    }
    #expect(heap.statistics.usedByteCount == 0 && heap.statistics.blockCount == 0)
  }

  /// The layout covers the range without gaps, and shows exactly the blocks that are held, beside the heap's records.
  private func checkLayout(_ heap: borrowing GeneralHeap, _ held: [HeldBlock], _ context: String) {
    var inUse: Set<VirtAddr> = []
    var end: VirtAddr?
    heap.forEachBlock { block in
      if let end { #expect(block.range.start == end, "\(context)") }
      end = block.range.end
      if !block.isFree { inUse.insert(block.range.start) }
    }
    for block in held where !inUse.contains(block.address) { Issue.record("\(context): \(block.address) is not shown") }
    // One granule holds the records.
    #expect(inUse.count == held.count + 1, "\(context)")
  }

  @Test("Out of memory is nil, and frees make room again")
  func outOfMemory() {
    let memory = TestMemory(byteCount: 4 << 20)
    for byteCount in [UInt(100), 5000, 30_000, 100_000] {
      var heap = GeneralHeap(over: memory.range)
      var blocks: [VirtAddr] = []
      while let block = heap.allocate(byteCount: byteCount, alignment: 16) { blocks.append(block) }
      #expect(UInt(blocks.count) * byteCount > 2 << 20, "\(byteCount)")
      for block in blocks { heap.deallocate(block) }
      var again = 0
      while heap.allocate(byteCount: byteCount, alignment: 16) != nil { again += 1 }
      #expect(again == blocks.count, "\(byteCount)")
    }
  }

  @Test("The quota is kept")
  func quota() {
    let memory = TestMemory(byteCount: 16 << 20)
    var heap = GeneralHeap(over: memory.range, quotaByteCount: 1 << 20)
    var count: UInt = 0
    while heap.allocate(byteCount: 1000, alignment: 16) != nil { count += 1 }
    #expect(count * 1000 <= 1 << 20 && count * 1000 > 800 << 10)
  }

  @Test("A range too small to use is a full heap")
  func tooSmall() {
    let memory = TestMemory(byteCount: 64 << 10)
    var heap = GeneralHeap(over: memory.range)
    #expect(heap.allocate(byteCount: 1, alignment: 1) == nil)
    #expect(heap.statistics == HeapStatistics())
  }

  @Test("A double free ends the process with one line")
  func doubleFree() async {
    let result = await #expect(processExitsWith: .signal(6), observing: [\.standardErrorContent]) {
      let memory = TestMemory(byteCount: 4 << 20)
      var heap = GeneralHeap(over: memory.range)
      guard let block = heap.allocate(byteCount: 40, alignment: 16) else { return }
      _ = heap.allocate(byteCount: 40, alignment: 16)
      heap.deallocate(block)
      heap.deallocate(block)
    }
    #expect(text(of: result).hasPrefix("heaplab: double free: 0x"))
  }

  @Test("A free inside a block ends the process with one line", arguments: [UInt(40), 5000, 100_000])
  func interiorFree(byteCount: UInt) async {
    let result = await #expect(processExitsWith: .signal(6), observing: [\.standardErrorContent]) { [byteCount] in
      let memory = TestMemory(byteCount: 4 << 20)
      var heap = GeneralHeap(over: memory.range)
      guard let block = heap.allocate(byteCount: byteCount, alignment: 16) else { return }
      heap.deallocate(block + 16)
    }
    #expect(text(of: result).hasPrefix("heaplab: free of a pointer "))
  }
}
