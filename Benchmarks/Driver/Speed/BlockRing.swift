import Synchronization

/// A ring through which one thread hands blocks to one other, without a lock.
///
/// `tail` blocks were put in and `head` taken out: 0 ≤ tail − head ≤ capacity. Each is written by one thread only, and
/// published a batch at a time, so that the two rarely meet on a cache line.
struct BlockRing: ~Copyable {
  static let capacity = 1024
  static let batchCount = 64

  private let blocks = MappedTable<Block>(count: capacity)
  private let padding0 = InlineArray<7, UInt>(repeating: 0)
  private let tail = Atomic<Int>(0)
  private let padding1 = InlineArray<7, UInt>(repeating: 0)
  private let head = Atomic<Int>(0)
  private let padding2 = InlineArray<7, UInt>(repeating: 0)
  private let end = Atomic<Bool>(false)

  init() {}

  /// Says that nothing more will be put in.
  borrowing func close() { end.store(true, ordering: .releasing) }

  /// Whether nothing more will be put in: a look at the ring after this one sees all that ever was.
  var isClosed: Bool { end.load(ordering: .acquiring) }

  /// Puts up to a batch of blocks in, made by `make`; nothing when a whole batch does not fit.
  ///
  /// - Returns: How many.
  @inline(__always) borrowing func put(upTo count: Int, _ make: () -> Block) -> Int {
    let start = tail.load(ordering: .relaxed)
    let count = min(count, Self.batchCount)
    // Acquiring pairs with the taker's release: it has read the places that are written now.
    guard start &+ count &- head.load(ordering: .acquiring) <= Self.capacity else { return 0 }
    for index in start..<start &+ count { blocks[index & (Self.capacity - 1)] = make() }
    tail.store(start &+ count, ordering: .releasing)
    return count
  }

  /// Takes what is there out, up to a batch, and gives each to `use`.
  ///
  /// - Returns: How many.
  @inline(__always) borrowing func take(_ use: (Block) -> Void) -> Int {
    let start = head.load(ordering: .relaxed)
    // Acquiring pairs with the putter's release: the blocks and what is written in them are there.
    let count = min(tail.load(ordering: .acquiring) &- start, Self.batchCount)
    guard count > 0 else { return 0 }
    for index in start..<start &+ count { use(blocks[index & (Self.capacity - 1)]) }
    head.store(start &+ count, ordering: .releasing)
    return count
  }
}
