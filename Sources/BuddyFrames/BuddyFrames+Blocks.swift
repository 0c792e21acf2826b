public import Addresses
import Assertions

// Blocks: aligned runs of 2^k frames. Deallocation checks a block with one compare of its descriptor against the value
// that allocation wrote, and looks for the reason only when they differ.

extension BuddyFrames {
  /// The lowest free block of `order`, or nil when there is none.
  ///
  /// - Complexity: O(1)
  public mutating func allocate(_ order: FrameOrder) -> PhysAddr? {
    // A single frame is the most common request and has code of its own.
    if order == .min { return allocateFrame() }
    return order.rawValue < 6 ? allocateSmallRun(order.rawValue) : allocateRun(order.rawValue)
  }

  /// The lowest free frame of `size`, or nil when there is none. Its content is undefined.
  public mutating func allocate(_ size: PageSize) -> Page<PhysAddr>? {
    let address = size == .size4KiB ? allocateFrame() : allocateRun(size.order.rawValue)
    guard let address else { return nil }
    return Page(containing: address, size: size)
  }

  /// Deallocates a block that was allocated with this order; any other ends the process.
  ///
  /// - Complexity: As for `allocate(_:)`.
  public mutating func deallocate(_ address: PhysAddr, order: FrameOrder) {
    if order == .min { return deallocateFrame(address) }
    if order.rawValue < 6 {
      deallocateSmallRun(address, order.rawValue)
    } else {
      deallocateRun(address, order.rawValue)
    }
  }

  /// Deallocates a frame that was allocated with this size; any other ends the process.
  public mutating func deallocate(_ frame: Page<PhysAddr>) {
    if frame.size == .size4KiB {
      deallocateFrame(frame.start)
    } else {
      deallocateRun(frame.start, frame.size.order.rawValue)
    }
  }

  @inline(never)
  private mutating func allocateRun(_ order: UInt8) -> PhysAddr? {
    guard let frame = index.lowestRun(order: order) else { return nil }
    take(frame, order: order)
    table.setState(.allocated(order), at: frame &- firstFrame)
    return address(of: frame)
  }

  @inline(never)
  private mutating func deallocateRun(_ address: PhysAddr, _ order: UInt8) {
    let inRange = position(of: address)
    guard inRange < frameCount, table.state(at: UInt(truncatingIfNeeded: inRange)) == .allocated(order) else {
      failDeallocation(of: address, order: order)
    }
    table.setState(.none, at: UInt(truncatingIfNeeded: inRange))
    give(UInt(truncatingIfNeeded: inRange) &+ firstFrame, order: order)
  }

  /// The index in the range of the frame at `address`; a number past the last frame when the address is outside the
  /// range or not a multiple of 4 KiB.
  @inline(__always)
  func position(of address: PhysAddr) -> UInt64 {
    // A rotation: bits below the frame size make the number too large.
    let offset = address.raw &- range.start.raw
    return offset &>> 12 | offset &<< 52
  }

  /// Whether `address` is in the range, in one compare.
  @inline(__always)
  func contains(_ address: PhysAddr) -> Bool { address.raw &- range.start.raw < range.byteCount }

  /// Ends the process unless an allocated block of `order` with one holder starts at `address`.
  func requireSoleHolder(of address: PhysAddr, order: UInt8) {
    let state = requireBlock(at: address)
    require(
      state.order == order, "a frame must be deallocated with the order it was allocated with, found", address.raw)
    require(
      state.holderCount == 1, "a frame with several holders must be released by each of them, not deallocated",
      address.raw)
  }

  /// Ends the process for a block that cannot be deallocated, and says why.
  ///
  /// Mutating only to spare the caller a copy of the allocator.
  @inline(never)
  mutating func failDeallocation(of address: PhysAddr, order: UInt8) -> Never {
    requireSoleHolder(of: address, order: order)
    fail("the frame table is damaged at the descriptor of", address.raw)
  }

  /// The descriptor of the allocated block that starts at `address`; ends the process when there is none.
  @inline(__always)
  func requireBlock(at address: PhysAddr) -> FrameState {
    guard contains(address), address.raw & 0xFFF == 0 else { failLookup(of: address) }
    let state = table.state(at: UInt(position(of: address)))
    guard state.isAllocated else { failLookup(of: address) }
    return state
  }

  /// Ends the process for an address at which no allocated block starts, and says what is there.
  @inline(never)
  private func failLookup(of address: PhysAddr) -> Never {
    require(contains(address), "a frame must be one of this allocator's, found", address.raw)
    require(address.raw & 0xFFF == 0, "a frame must be named by its first address, found", address.raw)
    switch use(of: address) {
    case .free:
      fail("a frame in use was expected, found one that is free (never allocated, or deallocated twice)", address.raw)
    case .cached: fail("a frame in use was expected, found one in a cache (deallocated twice)", address.raw)
    case .reserved: fail("a frame in use was expected, found a reserved one", address.raw)
    case .allocated: fail("a block must be named by its first frame, found one inside it", address.raw)
    }
  }
}
