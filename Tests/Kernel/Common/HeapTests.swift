import Addresses
import FirstFitHeap
import Machine
import MemoryProtocols

private final class Node {
  let value: UInt64
  var next: Node?

  init(_ value: UInt64, _ next: Node?) {
    self.value = value
    self.next = next
  }
}

/// A heap that a broken contract leaves locked.
private final class AbandonedHeap {
  let heap = LockedHeap()
}

/// A linear congruential generator (Knuth, TAOCP 2, 3.3.4).
struct Random {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next(below bound: UInt64) -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return (state >> 33) % bound
  }
}

func testHeap() {
  test("heap: classes, arrays and closures") {
    let before = kernelHeap.statistics.usedByteCount
    do {
      var nodes: [Node] = []
      for value in 0..<10_000 as Range<UInt64> { nodes.append(Node(value, nodes.last)) }
      let sum = nodes.map { $0.value + ($0.next?.value ?? 0) }.reduce(0, +)
      expect(sum == 49_995_000 + 49_985_001, "objects must keep their values", sum)
      // One by one: a list of 10,000 nodes would be released by as deep a recursion.
      while let last = nodes.popLast() { last.next = nil }
    }
    let left = kernelHeap.statistics.usedByteCount - before
    expect(left == 0, "released objects must leave nothing on the heap", UInt64(left))
  }
  test("heap: dictionaries") {
    var squares: [UInt64: UInt64] = [:]
    for number in 0..<1000 as Range<UInt64> { squares[number] = number * number }
    for number in 0..<1000 as Range<UInt64> where squares[number] != number * number {
      expect(false, "a dictionary must find its keys", number)
    }
    expect(squares[1000] == nil && squares.count == 1000, "a dictionary must find nothing else")
  }
  test("heap: blocks of all sizes keep their content", testBlocks)
  test("heap: running out is a result, and all comes back") {
    let before = kernelHeap.statistics
    var last = VirtAddr.null
    var count: UInt64 = 0
    while let block = kernelHeap.allocate(byteCount: 65536, alignment: 16) {
      block.unsafePointer.storeBytes(of: last.raw, as: UInt.self)
      last = block
      count += 1
    }
    expect(count > 8, "a heap must be used up before it has no block", count)
    while !last.isNull {
      let next = VirtAddr(last.unsafePointer.load(as: UInt.self))
      kernelHeap.deallocate(last)
      last = next
    }
    expect(kernelHeap.statistics.freeByteCount == before.freeByteCount, "freed blocks must be free again")
  }
  test("heap: a second initHeap is refused") {
    do throws(HeapInitError) {
      try kernelHeap.initHeap(AddrRange(start: Plan.heap, byteCount: 4096))
      expect(false, "a heap must be initialised once")
    } catch {
      expect(error == .alreadyInitialized, "the refusal must say why")
    }
  }
  test("heap: a double free ends with its line") {
    // A heap of its own: it stays locked by the free that did not return.
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 16)
    let abandoned = AbandonedHeap()
    must("a heap must take a page") { () throws(HeapInitError) in
      try abandoned.heap.initHeap(AddrRange(start: VirtAddr(memory), byteCount: 4096))
    }
    guard let block = abandoned.heap.allocate(byteCount: 100, alignment: 16) else {
      return expect(false, "a page must have room for a block")
    }
    abandoned.heap.deallocate(block)
    let line = lineOfFailure { abandoned.heap.deallocate(block) }
    expect(line.begins(with: "heaplab: pointer to a free block"), "a double free must end with its line")
  }
  test("heap: consistent") {
    do throws(HeapInconsistency) {
      try kernelHeap.withHeap { heap throws(HeapInconsistency) in try heap.checkConsistency() }
    } catch {
      expect(false, "the heap must be consistent")
    }
  }
}

private func testBlocks() {
  struct Block {
    let address: VirtAddr
    let byteCount: UInt
    var byte: UInt8 { UInt8(truncatingIfNeeded: address.raw >> 4) }
    var bytes: UnsafeMutableRawBufferPointer {
      UnsafeMutableRawBufferPointer(start: address.pointer, count: Int(byteCount))
    }
  }
  var random = Random(seed: 1)
  var blocks: [Block] = []
  func free(_ index: Int) {
    let block = blocks[index]
    blocks[index] = blocks[blocks.count - 1]
    blocks.removeLast()
    expect(block.bytes.allSatisfy { $0 == block.byte }, "a block must keep its content", UInt64(block.address.raw))
    kernelHeap.deallocate(block.address)
  }
  for _ in 0..<1500 {
    let byteCount = UInt(random.next(below: 1024) + 1)
    let alignment: UInt = 1 << UInt(random.next(below: 8))
    guard let address = kernelHeap.allocate(byteCount: byteCount, alignment: alignment) else {
      expect(false, "the heap must have room for 1,500 blocks")
      break
    }
    expect(address.isAligned(to: alignment), "a block must be aligned", UInt64(address.raw))
    let block = Block(address: address, byteCount: byteCount)
    for index in block.bytes.indices { block.bytes[index] = block.byte }
    blocks.append(block)
    if random.next(below: 3) == 0 { free(Int(random.next(below: UInt64(blocks.count)))) }
  }
  while !blocks.isEmpty { free(Int(random.next(below: UInt64(blocks.count)))) }
}
