public import Addresses
public import Assertions

/// The state of each frame, out of line: a 16-byte descriptor per 4 KiB frame, like a kernel's `struct page`.
///
/// The first eight bytes are the allocator's: for the first frame of a block in use, the block's order and its number
/// of holders. The other eight are the *owner word*, for the holder of the frame: a span, an address space, an inode.
/// The allocator neither reads nor writes it. It is 0 until someone sets it, and keeps its value when the frame is
/// freed. A holder that looks up frames by addresses that may not be its own must clear the word before it frees a
/// frame.
///
/// A handle to memory that belongs to the ``BuddyFrames`` it came from: copies share it. A holder may use the owner
/// words of its frames without the allocator's lock, since no two frames share a word.
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

  /// The size of a descriptor in bytes.
  @inlinable public static var descriptorByteCount: UInt { 16 }

  /// The owner word of the frame that contains `address`; traps outside the range.
  ///
  /// - Complexity: O(1): a subtraction, a compare, a shift and a load.
  @inlinable public func owner(of address: PhysAddr) -> UInt64 {
    // SAFETY: `descriptor(of:)` returns the address of 16 bytes in the table.
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

  /// The offset in bytes of a frame's descriptor from the first descriptor, if the frame is in the range.
  ///
  /// The distance between a frame and the first one is a multiple of 4 KiB. Shifting it by 8 instead of 12 multiplies
  /// the frame's number by the 16 bytes of a descriptor.
  @inlinable @inline(__always)
  func descriptorOffset(of frame: Page<PhysAddr>) -> UInt64 { (frame.start.raw &- range.start.raw) &>> 8 }

  /// Adds a holder to the frame of `size` whose descriptor is at `offset`; false when no block of that size is in use
  /// there, or when it has 2^32 - 1 holders.
  @inlinable @inline(__always)
  func addHolder(at offset: UInt64, size: PageSize) -> Bool {
    guard offset < range.byteCount &>> 8 else { return false }
    let word = start &+ UInt(truncatingIfNeeded: offset)
    // SAFETY: the first byte of a descriptor, the lowest of its first word, holds the order plus one for a block in
    // use. All supported processors are little endian.
    let order = unsafe UnsafePointer<UInt8>(bitPattern: word).unsafelyUnwrapped.pointee
    guard order == size.order.rawValue &+ 1 else { return false }
    // SAFETY: the same word. Its upper half counts holders, so the word overflows when the count does. The process then
    // ends, and the stored value does not matter.
    let state = unsafe UnsafeMutablePointer<UInt64>(bitPattern: word).unsafelyUnwrapped
    let (sum, overflow) = unsafe state.pointee.addingReportingOverflow(1 << 32)
    unsafe state.pointee = sum
    return !overflow
  }

  /// The allocator's word of the frame at `position`, an index in the range.
  @inline(__always)
  func state(at position: UInt) -> FrameState {
    // SAFETY: the caller has checked the position, so this is the first word of a descriptor.
    FrameState(rawValue: unsafe statePointer(at: position).pointee)
  }

  /// Sets the allocator's word of the frame at `position`, an index in the range.
  @inline(__always)
  func setState(_ state: FrameState, at position: UInt) {
    // SAFETY: as in `state(at:)`.
    unsafe statePointer(at: position).pointee = state.rawValue
  }

  @inline(__always)
  private func statePointer(at position: UInt) -> UnsafeMutablePointer<UInt64> {
    // SAFETY: counts and levels precede the descriptors in the table, so no descriptor is at address 0.
    unsafe UnsafeMutablePointer(bitPattern: start &+ position &<< 4).unsafelyUnwrapped
  }
}

/// The allocator's word of a descriptor: 0 for a frame at which no block in use starts.
///
/// Bits 0 to 4 are the block's order plus one; bit 6 is set for a block in a ``FrameCache``, bit 7 for a reserved one;
/// bits 32 to 63 count its holders.
struct FrameState: RawRepresentable, Equatable {
  var rawValue: UInt64

  /// No block in use starts here: the frame is free, or inside a block.
  static var none: FrameState { FrameState(rawValue: 0) }

  /// The first frame of a block of `order` with one holder.
  @inline(__always)
  static func allocated(_ order: UInt8) -> FrameState { FrameState(rawValue: 1 &<< 32 | (UInt64(order) &+ 1)) }

  /// The first frame of a reserved block of `order`.
  static func reserved(_ order: UInt8) -> FrameState { FrameState(rawValue: 0x80 | (UInt64(order) &+ 1)) }

  /// The first frame of a cached block of `order`.
  static func cached(_ order: UInt8) -> FrameState { FrameState(rawValue: 0x40 | (UInt64(order) &+ 1)) }

  /// Whether this is the first frame of an allocated block.
  var isAllocated: Bool { self != .none && rawValue & 0xC0 == 0 }

  /// Whether this is the first frame of a cached block.
  var isCached: Bool { rawValue & 0x40 != 0 }

  /// Whether this is the first frame of a reserved block.
  var isReserved: Bool { rawValue & 0x80 != 0 }

  /// The order of the block that starts here; only for a frame at which one does.
  var order: UInt8 { UInt8(truncatingIfNeeded: rawValue & 0x1F) &- 1 }

  /// How many holders the block has; 0 for a reserved or cached one.
  var holderCount: UInt32 {
    get { UInt32(truncatingIfNeeded: rawValue &>> 32) }
    set { rawValue = rawValue & 0xFFFF_FFFF | UInt64(newValue) &<< 32 }
  }
}
