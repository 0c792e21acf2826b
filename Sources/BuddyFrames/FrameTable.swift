public import Addresses
public import Assertions

/// What is known of each frame, out of line: a descriptor of 16 bytes for each 4 KiB frame, as a kernel's `struct page`.
///
/// The first eight bytes are the allocator's: for the first frame of a block in use, its order and how many holders
/// it has. The other eight are the *owner word*, for whoever holds the frame: a span, an address space, an inode.
/// The allocator neither reads nor writes it; it is 0 until someone sets it, and what is set stays when the frame is
/// given back. Whoever looks frames up by address that may not be its own clears the word before it gives one back.
///
/// A handle to memory that belongs to the ``BuddyFrames`` it came from: copies share it. A holder of a frame may use
/// the owner words of its frames without the allocator's lock, since no two frames share a word.
@frozen
public struct FrameTable: Sendable {
  /// The frames that the table describes.
  public let range: AddrRange<PhysAddr>

  /// The address of the first frame's descriptor.
  @usableFromInline let start: UInt

  init(for range: AddrRange<PhysAddr>, at start: VirtAddr) {
    self.range = range
    self.start = start.raw
  }

  /// How many bytes a descriptor has.
  @inlinable public static var descriptorByteCount: UInt { 16 }

  /// The owner word of the frame that contains `address`; traps outside the range.
  ///
  /// - Complexity: O(1): a subtraction, a compare, a shift and a load.
  @inlinable public func owner(of address: PhysAddr) -> UInt64 {
    // SAFETY: `descriptor(of:)` gives the address of 16 bytes in the table.
    unsafe UnsafePointer<UInt64>(bitPattern: descriptor(of: address) &+ 8).unsafelyUnwrapped.pointee
  }

  /// Sets the owner word of the frame that contains `address`; traps outside the range.
  @inlinable public func setOwner(_ owner: UInt64, of address: PhysAddr) {
    // SAFETY: as in `owner(of:)`.
    unsafe UnsafeMutablePointer<UInt64>(bitPattern: descriptor(of: address) &+ 8).unsafelyUnwrapped.pointee = owner
  }

  /// Sets the owner words of all frames in `frames`; traps unless that is part of the range.
  @inlinable public func setOwner(_ owner: UInt64, of frames: AddrRange<PhysAddr>) {
    require(range.contains(frames), "a frame table must describe the frames asked for, found", frames.start.raw)
    var address = frames.start
    while address < frames.end {
      setOwner(owner, of: address)
      address = address + PageSize.size4KiB.byteCount
    }
  }

  /// The address of the descriptor of the frame that contains `address`; traps outside the range.
  @inlinable @inline(__always)
  func descriptor(of address: PhysAddr) -> UInt {
    let offset = address.raw &- range.start.raw
    require(offset < range.byteCount, "a frame table must describe the frame asked for, found", address.raw)
    return start &+ UInt(truncatingIfNeeded: offset &>> 12) &<< 4
  }

  /// Where the descriptor of a frame stands, in bytes from the first descriptor, if the frame is in the range.
  ///
  /// A frame's distance from the first is a multiple of 4 KiB: shifting it by 8 instead of 12 multiplies the frame's
  /// number by the descriptor's 16 bytes.
  @inlinable @inline(__always)
  func descriptorOffset(of frame: Page<PhysAddr>) -> UInt64 { (frame.start.raw &- range.start.raw) &>> 8 }

  /// Adds a holder to the frame of `size` whose descriptor stands at an offset; false when no block of that size is in
  /// use there, or it has 2^32 - 1 holders.
  @inlinable @inline(__always)
  func addHolder(at offset: UInt64, size: PageSize) -> Bool {
    // Never wraps: a range does not end below its start.
    guard offset < (range.end.raw &- range.start.raw) &>> 8 else { return false }
    let word = start &+ UInt(truncatingIfNeeded: offset)
    // SAFETY: the first byte of a descriptor, the lowest of its first word, is the order plus one for a block in use.
    // Every processor that this runs on keeps the lowest byte first.
    let order = unsafe UnsafePointer<UInt8>(bitPattern: word).unsafelyUnwrapped.pointee
    guard order == size.order.rawValue &+ 1 else { return false }
    // SAFETY: the same word. Its upper half counts holders, so that it overflows with the whole; then the process ends,
    // and what was stored does not matter.
    let state = unsafe UnsafeMutablePointer<UInt64>(bitPattern: word).unsafelyUnwrapped
    let (sum, overflow) = unsafe state.pointee.addingReportingOverflow(1 << 32)
    unsafe state.pointee = sum
    return !overflow
  }

  /// The allocator's word of the frame at `position`, counted from the start of the range.
  @inline(__always)
  func state(at position: UInt) -> FrameState {
    // SAFETY: the caller has checked the position, so this is the first word of a descriptor.
    FrameState(rawValue: unsafe statePointer(at: position).pointee)
  }

  /// Sets the allocator's word of the frame at `position`, counted from the start of the range.
  @inline(__always)
  func setState(_ state: FrameState, at position: UInt) {
    // SAFETY: as in `state(at:)`.
    unsafe statePointer(at: position).pointee = state.rawValue
  }

  @inline(__always)
  private func statePointer(at position: UInt) -> UnsafeMutablePointer<UInt64> {
    // SAFETY: descriptors are never at address 0: counts and levels precede them in the table.
    unsafe UnsafeMutablePointer(bitPattern: start &+ position &<< 4).unsafelyUnwrapped
  }
}

/// The allocator's word of a descriptor: 0 for a frame that starts no block in use.
///
/// Bits 0 to 4 are the block's order plus one; bit 6 is set for one that waits in a ``FrameCache``, bit 7 for a
/// reserved one; bits 32 to 63 count its holders.
struct FrameState: RawRepresentable, Equatable {
  var rawValue: UInt64

  /// No block in use starts here: the frame is free, or inside a block.
  static var none: FrameState { FrameState(rawValue: 0) }

  /// The first frame of a block of `order` with one holder.
  @inline(__always)
  static func allocated(_ order: UInt8) -> FrameState { FrameState(rawValue: 1 &<< 32 | (UInt64(order) &+ 1)) }

  /// The first frame of a reserved block of `order`.
  static func reserved(_ order: UInt8) -> FrameState { FrameState(rawValue: 0x80 | (UInt64(order) &+ 1)) }

  /// The first frame of a block of `order` that waits in a cache.
  static func cached(_ order: UInt8) -> FrameState { FrameState(rawValue: 0x40 | (UInt64(order) &+ 1)) }

  /// Whether this is the first frame of a block that somebody holds.
  var isAllocated: Bool { self != .none && rawValue & 0xC0 == 0 }

  /// Whether this is the first frame of a block that waits in a cache.
  var isCached: Bool { rawValue & 0x40 != 0 }

  /// Whether this is the first frame of a reserved block.
  var isReserved: Bool { rawValue & 0x80 != 0 }

  /// The order of the block that starts here; there must be one.
  var order: UInt8 { UInt8(truncatingIfNeeded: rawValue & 0x1F) &- 1 }

  /// How many holders the block has; 0 for one that is reserved or waits in a cache.
  var holderCount: UInt32 {
    get { UInt32(truncatingIfNeeded: rawValue &>> 32) }
    set { rawValue = rawValue & 0xFFFF_FFFF | UInt64(newValue) &<< 32 }
  }
}
