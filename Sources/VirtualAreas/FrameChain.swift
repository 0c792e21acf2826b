public import Addresses
public import MemoryProtocols

// The only file of this module that touches memory.

/// Unmapped frames that wait for a flush. Each holds the address of the next at its start.
///
/// Their content is dead. A program that still writes to a freed area can damage the chain; the frame allocator then
/// refuses an address that it never gave out.
@frozen
@usableFromInline
struct FrameChain: ~Copyable {
  @usableFromInline var first = PhysAddr.null
  @usableFromInline var count = 0

  @inlinable init() {}

  /// Adds a frame.
  @inlinable
  mutating func push(_ frame: PhysAddr, _ mapper: borrowing some PhysMapper) {
    // SAFETY: the mapper covers the frame, which belongs to a freed area and thereby to the caller.
    unsafe mapper.physToVirt(frame).unsafePointer.storeBytes(of: first.raw, as: UInt64.self)
    first = frame
    count += 1
  }

  /// Deallocates all frames.
  @inlinable
  mutating func deallocate(
    to frames: inout some FrameAllocator & ~Copyable, _ mapper: borrowing some PhysMapper
  ) {
    while count > 0 {
      let frame = first
      // SAFETY: as above; `push` wrote the address.
      first = PhysAddr(unsafe mapper.physToVirt(frame).unsafePointer.load(as: UInt64.self))
      count -= 1
      frames.deallocate(Page(start: frame))
    }
  }
}
