import CLabDriver
import Synchronization

/// A lock-free ring through which one thread hands blocks to one other thread.
///
/// `tail` counts the blocks put in, `head` those taken out: 0 ≤ tail − head ≤ capacity. One thread writes each of them,
/// once per batch, and the two threads rarely contend for a cache line.
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

  /// Announces that the putting thread is done.
  borrowing func close() { end.store(true, ordering: .releasing) }

  /// Whether the putting thread is done. A `take` after this returned true sees every remaining block.
  var isClosed: Bool { end.load(ordering: .acquiring) }

  /// Puts in up to a batch of blocks from `make`, or none when they do not all fit.
  ///
  /// - Returns: The number of blocks put in.
  @inline(__always) borrowing func put(upTo count: Int, _ make: () -> Block) -> Int {
    let start = tail.load(ordering: .relaxed)
    let count = min(count, Self.batchCount)
    // Acquiring pairs with the taking thread's release: it has read the slots that are overwritten now.
    guard start &+ count &- head.load(ordering: .acquiring) <= Self.capacity else { return 0 }
    for index in start..<start &+ count { blocks[index & (Self.capacity - 1)] = make() }
    tail.store(start &+ count, ordering: .releasing)
    return count
  }

  /// Takes out up to a batch of blocks and passes each to `use`.
  ///
  /// - Returns: The number of blocks taken out.
  @inline(__always) borrowing func take(_ use: (Block) -> Void) -> Int {
    let start = head.load(ordering: .relaxed)
    // Acquiring pairs with the putting thread's release: the blocks and their content are visible.
    let count = min(tail.load(ordering: .acquiring) &- start, Self.batchCount)
    guard count > 0 else { return 0 }
    for index in start..<start &+ count { use(blocks[index & (Self.capacity - 1)]) }
    head.store(start &+ count, ordering: .releasing)
    return count
  }

  /// Passes `count` new rings to `body`.
  ///
  /// - Safety: The pointer is valid only while `body` runs.
  @unsafe static func withRings(_ count: Int, _ body: (UnsafeMutablePointer<BlockRing>) -> Elapsed) -> Elapsed {
    let byteCount = count * MemoryLayout<BlockRing>.stride
    // SAFETY: a new mapping with room for the rings.
    let rings = unsafe mapped(byteCount).bindMemory(to: BlockRing.self, capacity: count)
    for index in 0..<count { unsafe (rings + index).initialize(to: BlockRing()) }
    defer {
      unsafe rings.deinitialize(count: count)
      unsafe munmap(rings, byteCount)
    }
    return unsafe body(rings)
  }
}
