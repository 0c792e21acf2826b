/// The blocks that a pattern holds, with their sizes. Every byte of every block has been written.
///
/// The driver's own tables are resident before the first reading of the resident set.
struct HeldBlocks: ~Copyable {
  private let heap = MallocFamily()
  private let blocks: MappedTable<Block>
  private let sizes: MappedTable<UInt32>
  /// How many blocks are held.
  private(set) var count = 0
  /// The requested bytes of all blocks held.
  private(set) var liveByteCount = 0
  /// The maximum of ``liveByteCount`` so far.
  private(set) var peakLiveByteCount = 0
  /// How many allocations and reallocations there were.
  private(set) var operationCount = 0
  /// The source of random choices.
  var random = Random(seed: 1)

  /// Room for `capacity` blocks.
  init(capacity: Int) {
    blocks = MappedTable(count: capacity)
    sizes = MappedTable(count: capacity)
  }

  /// Allocates a block after all others.
  mutating func allocate(_ byteCount: Int) {
    if count == blocks.count { stop("holds as many blocks as it has room for,", number: count, "blocks") }
    let block = heap.allocate(byteCount)
    block.fill(to: byteCount)
    blocks[count] = block
    sizes[count] = UInt32(byteCount)
    count += 1
    operationCount += 1
    countLive(byteCount)
  }

  /// Allocates blocks until `liveByteCount` bytes are live.
  mutating func allocate(_ range: SizeRange, upTo liveByteCount: Int) {
    while self.liveByteCount < liveByteCount { allocate(range.draw(&random)) }
  }

  /// Frees the block at `index`; the last one takes its place.
  mutating func deallocate(at index: Int) {
    heap.deallocate(blocks[index])
    liveByteCount -= Int(sizes[index])
    count -= 1
    blocks[index] = blocks[count]
    sizes[index] = sizes[count]
  }

  /// Frees random blocks until at most `liveByteCount` bytes are live.
  mutating func deallocateRandom(downTo liveByteCount: Int) {
    while self.liveByteCount > liveByteCount { deallocate(at: random.below(count)) }
  }

  /// Frees blocks in the order of their allocation, and keeps a random one in `oneIn`; nil keeps none.
  mutating func deallocateInOrder(butOneIn oneIn: Int? = nil) {
    var kept = 0
    for index in 0..<count {
      if let oneIn, random.below(oneIn) == 0 {
        blocks[kept] = blocks[index]
        sizes[kept] = sizes[index]
        kept += 1
      } else {
        heap.deallocate(blocks[index])
        liveByteCount -= Int(sizes[index])
      }
    }
    count = kept
  }

  /// Grows the block at `index` to twice its size.
  mutating func double(at index: Int) {
    let old = Int(sizes[index])
    let block = heap.reallocate(blocks[index], old * 2)
    block.fill(from: old, to: old * 2)
    blocks[index] = block
    sizes[index] = UInt32(old * 2)
    operationCount += 1
    countLive(old)
  }

  /// The bytes of the block at `index`.
  func byteCount(at index: Int) -> Int { Int(sizes[index]) }

  /// Behaves as an idle program: every ten milliseconds it allocates and frees a hundred blocks of 64 bytes to 4 KiB.
  func idle(milliseconds: Int) {
    var random = Random(seed: 7)
    let range = SizeRange(64, 4096)
    for _ in 0..<milliseconds / 10 {
      for index in 0..<100 {
        let block = heap.allocate(range.draw(&random))
        block.touch(index)
        heap.deallocate(block)
      }
      Clock.sleep(milliseconds: 10)
    }
  }

  /// Counts blocks that threads held in tables of their own and have freed.
  mutating func countThreadBlocks(byteCount: Int, operations: Int) {
    countLive(byteCount)
    liveByteCount -= byteCount
    operationCount += operations
  }

  private mutating func countLive(_ byteCount: Int) {
    liveByteCount += byteCount
    peakLiveByteCount = max(peakLiveByteCount, liveByteCount)
  }
}
