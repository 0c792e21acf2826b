import Addresses
import Assertions
import SpinLocks

/// Blocks of order 0 and 9 (4 KiB and 2 MiB) cached for one thread.
///
/// A cache belongs to one thread or processor; nothing in it is synchronised. The descriptor of a cached block says
/// that it is cached, so a double free is found just as without a cache. ``LockedFramesBy/drain(_:)`` must empty a cache
/// before it is destroyed: a cache that still holds blocks ends the process, since the frames would be lost.
public struct FrameCache: ~Copyable {
  /// Blocks of 4 KiB.
  var frames: FrameStack
  /// Blocks of 2 MiB: few, since each is large.
  var hugeFrames: FrameStack

  private let table: FrameTable

  /// An empty cache in front of `frames`.
  public init(for frames: borrowing LockedFrames) {
    table = frames.table
    self.frames = FrameStack(order: 0, capacity: 64, table: frames.table)
    hugeFrames = FrameStack(order: 9, capacity: 8, table: frames.table)
  }

  /// How many frames are cached, those of larger blocks included.
  public var frameCount: Int { frames.count + hugeFrames.count << 9 }

  deinit {
    require(frames.count == 0 && hugeFrames.count == 0, "a frame cache must be drained before it goes away")
  }

  /// Ends the process unless the cache was made for this allocator.
  @inline(__always)
  func requireTable(_ other: FrameTable) {
    require(table.start == other.start, "a frame cache must be used with the allocator it was made for")
  }
}

/// A stack of cached blocks of one order: last in, first out.
struct FrameStack: ~Copyable {
  private let order: UInt8
  private let capacity: Int
  private let table: FrameTable
  private var blocks = InlineArray<64, PhysAddr>(repeating: .null)

  /// How many blocks are cached.
  private(set) var count = 0

  init(order: UInt8, capacity: Int, table: FrameTable) {
    self.order = order
    self.capacity = capacity
    self.table = table
  }

  mutating func allocate(from shared: borrowing LockedFrames) -> PhysAddr? {
    if count == 0 { fill(from: shared) }
    if count == 0 { return nil }
    count -= 1
    let address = blocks[count]
    table.setState(.allocated(order), at: position(of: address))
    return address
  }

  mutating func deallocate(_ address: PhysAddr, to shared: borrowing LockedFrames) {
    // The holder of the block owns its descriptor and may read and write it without the lock.
    guard table.range.contains(address), address.raw & 0xFFF == 0,
      table.state(at: position(of: address)) == .allocated(order)
    else {
      // The allocator reports the error and ends the process.
      return shared.deallocate(address, order: FrameOrder(order))
    }
    if count == capacity { drain(capacity / 2, to: shared) }
    table.setState(.cached(order), at: position(of: address))
    blocks[count] = address
    count += 1
  }

  /// Allocates up to half a cache of blocks.
  private mutating func fill(from shared: borrowing LockedFrames) {
    let wanted = capacity / 2
    let order = FrameOrder(self.order)
    shared.frames.withLock { frames in
      while count < wanted, let address = frames.allocate(order) {
        blocks[count] = address
        count += 1
      }
    }
    for index in 0..<count { table.setState(.cached(self.order), at: position(of: blocks[index])) }
    // The lowest block is to be taken first.
    for index in 0..<count / 2 { blocks.swapAt(index, count - 1 - index) }
  }

  /// Returns the `number` blocks that have been cached longest to the allocator.
  mutating func drain(_ number: Int, to shared: borrowing LockedFrames) {
    if number == 0 { return }
    for index in 0..<number { table.setState(.allocated(order), at: position(of: blocks[index])) }
    let order = FrameOrder(self.order)
    shared.frames.withLock { frames in
      for index in 0..<number { frames.deallocate(blocks[index], order: order) }
    }
    for index in number..<count { blocks[index - number] = blocks[index] }
    count -= number
  }

  @inline(__always)
  private func position(of address: PhysAddr) -> UInt {
    UInt(truncatingIfNeeded: (address.raw &- table.range.start.raw) &>> 12)
  }
}
