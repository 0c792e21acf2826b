import Addresses
import FirstFitHeap

// What does a pair of deallocate and allocate cost in a heap with many live blocks? Each pair frees a block at random
// and allocates one of a random size in its place. The sizes are uniform from 16 to 512 bytes. As many pairs as there
// are live blocks, but at least 20,000, come before those that count: by then holes and blocks are in balance.

/// A replacement of one live block by another.
struct HeapPair {
  let slot: Int
  let byteCount: Int
}

/// One measured run of one heap.
struct HeapPairs: ~Copyable {
  /// How many pairs count.
  static let measuredPairCount = 20_000

  private let memory: ReplayMemory
  private let first: [Int]
  private let warmUp: [HeapPair]
  private let measured: [HeapPair]

  init(liveCount: Int) throws(MeasurementFailure) {
    var random = ReproducibleRandom(seed: 1)
    func byteCount() -> Int { 16 + random.index(below: 497) }
    func pairs(_ count: Int) -> [HeapPair] {
      (0..<count).map { _ in HeapPair(slot: random.index(below: liveCount), byteCount: byteCount()) }
    }
    memory = try ReplayMemory(byteCount: UInt(liveCount) * 1200 + (1 << 20), isPinned: false)
    first = (0..<liveCount).map { _ in byteCount() }
    warmUp = pairs(max(liveCount, 20_000))
    measured = pairs(Self.measuredPairCount)
  }

  /// Runs all pairs in `heap`.
  ///
  /// - Returns: The bytes from the start of the memory to the end of the highest block ever, over the live bytes.
  /// - Throws: ``MeasurementFailure`` when a library cannot be loaded or refuses its memory, or a heap is full.
  func run(_ heap: ComparedHeap) throws(MeasurementFailure) -> Double {
    switch heap {
    case .firstFit(_, let search):
      var heap = FirstFitHeap(over: memory.range, search: search)
      return try run(in: &heap)
    case .library(_, let path):
      var library = try HeapLibrary(path: path, memory: memory.range)
      return try run(in: &library)
    }
  }

  private func run<Heap: PairedHeap & ~Copyable>(in heap: inout Heap) throws(MeasurementFailure) -> Double {
    var slots = LiveSlots(byteCounts: first, highestEnd: memory.range.start)
    for slot in first.indices { slots.fill(slot, with: heap.allocate(first[slot]), byteCount: first[slot]) }
    Self.replace(warmUp, in: &heap, &slots)
    heapPairsMeasured(measured, in: &heap, &slots)
    guard !slots.isShort else { throw MeasurementFailure("the heap has no room for \(first.count) blocks") }
    return Double(slots.highestEnd.raw - memory.range.start.raw) / Double(slots.byteCounts.reduce(0, +))
  }

  @inline(__always)
  fileprivate static func replace<Heap: PairedHeap & ~Copyable>(
    _ pairs: [HeapPair], in heap: inout Heap, _ slots: inout LiveSlots
  ) {
    for pair in pairs {
      if let old = slots.blocks[pair.slot] { heap.deallocate(old, slots.byteCounts[pair.slot]) }
      slots.fill(pair.slot, with: heap.allocate(pair.byteCount), byteCount: pair.byteCount)
    }
  }
}

/// The part that counts. callgrind counts only inside this function.
@inline(never)
private func heapPairsMeasured<Heap: PairedHeap & ~Copyable>(
  _ pairs: [HeapPair], in heap: inout Heap, _ slots: inout LiveSlots
) {
  HeapPairs.replace(pairs, in: &heap, &slots)
}

/// The live blocks.
private struct LiveSlots {
  var blocks: [VirtAddr?]
  var byteCounts: [Int]
  /// The end of the highest block so far.
  var highestEnd: VirtAddr
  /// Whether a request got nil.
  var isShort = false

  init(byteCounts: [Int], highestEnd: VirtAddr) {
    blocks = Array(repeating: nil, count: byteCounts.count)
    self.byteCounts = byteCounts
    self.highestEnd = highestEnd
  }

  @inline(__always) mutating func fill(_ slot: Int, with block: VirtAddr?, byteCount: Int) {
    blocks[slot] = block
    byteCounts[slot] = byteCount
    if let block { highestEnd = max(highestEnd, block + UInt(byteCount)) } else { isShort = true }
  }
}

/// What the pairs need of a heap.
private protocol PairedHeap: ~Copyable {
  mutating func allocate(_ byteCount: Int) -> VirtAddr?
  mutating func deallocate(_ block: VirtAddr, _ byteCount: Int)
}

extension FirstFitHeap: PairedHeap {
  @inline(__always) fileprivate mutating func allocate(_ byteCount: Int) -> VirtAddr? {
    allocate(byteCount: UInt(byteCount), alignment: 16)
  }

  @inline(__always) fileprivate mutating func deallocate(_ block: VirtAddr, _ byteCount: Int) { deallocate(block) }
}

extension HeapLibrary: PairedHeap {
  @inline(__always) fileprivate func allocate(_ byteCount: Int) -> VirtAddr? {
    // SAFETY: the library was given its memory.
    let block = unsafe UInt(bitPattern: allocate(byteCount))
    return block == 0 ? nil : VirtAddr(block)
  }

  @inline(__always) fileprivate func deallocate(_ block: VirtAddr, _ byteCount: Int) {
    // SAFETY: the block is one of the library's, and live.
    unsafe deallocate(block.unsafePointer, byteCount)
  }
}
