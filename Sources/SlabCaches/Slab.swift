public import Addresses
import Synchronization

/// What stands at the start of a slab. One or two bits for each object follow it.
struct SlabHeader {
  /// The neighbours in the list that the slab is in, 0 for none.
  var previous: UInt
  var next: UInt
  /// ``SlabPool/tag`` of the slab's pool, mixed with the slab's address: a sign that this is a slab, and whose.
  var tag: UInt
  /// The offset of the first object.
  var firstOffset: UInt32
  /// How many objects are in the slab, neither held by someone nor in a magazine.
  var freeCount: UInt32
}

/// A slab in memory: the only code that touches its header.
///
/// The first set of bits says which objects are in the slab. The pool's lock protects it, and all of the header. The
/// second set, if the layout has one, says which objects someone holds. It changes without the lock, atomically.
@usableFromInline
struct Slab: Equatable, Sendable {
  /// The address, a multiple of the slab's size. 0 stands for no slab.
  @usableFromInline let start: UInt

  @inlinable init(at start: UInt) { self.start = start }

  /// The slab that contains an object at `address`, if that is one.
  @inline(__always)
  init(containing address: VirtAddr, _ layout: SlabLayout) { start = address.raw & ~(layout.slabByteCount &- 1) }

  private var header: UnsafeMutablePointer<SlabHeader> {
    // SAFETY: slabs belong to their pool and begin with a header; none is at address 0.
    unsafe UnsafeMutablePointer(bitPattern: start).unsafelyUnwrapped
  }

  /// The word `index` of the first set of bits.
  private func freeBits(_ index: UInt) -> UnsafeMutablePointer<UInt> {
    // SAFETY: the bits follow the header; the index is below the layout's word count.
    unsafe UnsafeMutableRawPointer(header + 1).assumingMemoryBound(to: UInt.self) + Int(index)
  }

  /// The word `index` of the second set of bits.
  private func heldBits(_ index: UInt, _ layout: SlabLayout) -> UnsafePointer<Atomic<UInt>> {
    // SAFETY: the second set follows the first one; an atomic word has the layout of a word.
    unsafe UnsafeRawPointer(freeBits(layout.wordCount + index)).assumingMemoryBound(to: Atomic<UInt>.self)
  }

  var previous: Slab {
    get {
      // SAFETY: see `header`.
      Slab(at: unsafe header.pointee.previous)
    }
    nonmutating set {
      // SAFETY: see `header`.
      unsafe header.pointee.previous = newValue.start
    }
  }

  var next: Slab {
    get {
      // SAFETY: see `header`.
      Slab(at: unsafe header.pointee.next)
    }
    nonmutating set {
      // SAFETY: see `header`.
      unsafe header.pointee.next = newValue.start
    }
  }

  var freeCount: UInt {
    // SAFETY: see `header`.
    UInt(unsafe header.pointee.freeCount)
  }

  /// The address of the first object.
  var first: UInt {
    // SAFETY: see `header`.
    start + UInt(unsafe header.pointee.firstOffset)
  }

  /// Whether this is a slab of the pool with this tag. The memory must be readable; it may be anything.
  func hasTag(_ tag: UInt) -> Bool {
    // SAFETY: the caller promises readable memory, and any bits are a header.
    unsafe header.pointee.tag == tag ^ start
  }
}

extension Slab {
  /// Writes the header of a new slab, all of whose objects are in it.
  @usableFromInline
  func begin(_ layout: SlabLayout, firstOffset: UInt, tag: UInt) {
    // SAFETY: the caller holds the memory, and the layout has room for the header and its bits.
    unsafe header.initialize(
      to: SlabHeader(
        previous: 0, next: 0, tag: tag ^ start, firstOffset: UInt32(firstOffset), freeCount: UInt32(layout.objectCount))
    )
    let bitWidth = UInt(UInt.bitWidth)
    for index in 0..<layout.wordCount {
      let count = min(layout.objectCount - index * bitWidth, bitWidth)
      // SAFETY: as above.
      unsafe freeBits(index).initialize(to: UInt.max >> (bitWidth - count))
    }
    guard layout.hasHeldBits else { return }
    // SAFETY: as above; the second set is as long as the first.
    for index in 0..<layout.wordCount { unsafe freeBits(layout.wordCount + index).initialize(to: 0) }
  }

  /// Ends the slab: its memory no longer looks like one.
  @usableFromInline
  func end() {
    // SAFETY: see `header`.
    unsafe header.pointee.tag = 0
  }

  /// The address of an object by its number.
  @usableFromInline
  func object(_ index: UInt, _ layout: SlabLayout) -> VirtAddr { VirtAddr(first + index * layout.objectByteCount) }

  /// The number of the object at `address`, nil when none begins there.
  func index(of address: VirtAddr, _ layout: SlabLayout) -> UInt? {
    // An address in the header gives a huge number here, and fails the test. A slab is far smaller than 4 GiB.
    let offset = UInt32(truncatingIfNeeded: address.raw &- first)
    let (index, rest) = offset.quotientAndRemainder(dividingBy: UInt32(layout.objectByteCount))
    return rest == 0 && index < layout.objectCount ? UInt(index) : nil
  }

  /// Takes the object with the lowest address out of the slab, which has one.
  func take(_ layout: SlabLayout) -> VirtAddr {
    var word: UInt = 0
    // SAFETY: some bit is set, since the slab has an object; see `freeBits`.
    while unsafe freeBits(word).pointee == 0 { word += 1 }
    // SAFETY: as above.
    let bits = unsafe freeBits(word).pointee
    // SAFETY: as above.
    unsafe freeBits(word).pointee = bits & (bits &- 1)
    // SAFETY: see `header`.
    unsafe header.pointee.freeCount -= 1
    return object(word * UInt(UInt.bitWidth) + UInt(bits.trailingZeroBitCount), layout)
  }

  /// Puts an object back; false when it is in the slab already.
  func put(_ index: UInt) -> Bool {
    let (word, bit) = (index / UInt(UInt.bitWidth), UInt(1) << (index % UInt(UInt.bitWidth)))
    // SAFETY: the index is one of the layout's; see `freeBits`.
    let bits = unsafe freeBits(word).pointee
    if bits & bit != 0 { return false }
    // SAFETY: as above.
    unsafe freeBits(word).pointee = bits | bit
    // SAFETY: see `header`.
    unsafe header.pointee.freeCount += 1
    return true
  }

  /// Whether an object is in the slab.
  func contains(_ index: UInt) -> Bool {
    // SAFETY: the index is one of the layout's; see `freeBits`.
    unsafe freeBits(index / UInt(UInt.bitWidth)).pointee >> (index % UInt(UInt.bitWidth)) & 1 == 1
  }

  /// Notes whether someone holds an object; returns what was noted before. Relaxed: the bit orders nothing, and a second
  /// holder of the same object is an error in whatever order it comes.
  func setHeld(_ isHeld: Bool, _ index: UInt, _ layout: SlabLayout) -> Bool {
    let (word, bit) = (index / UInt(UInt.bitWidth), UInt(1) << (index % UInt(UInt.bitWidth)))
    // SAFETY: the index is one of the layout's; see `heldBits`.
    let bits = unsafe heldBits(word, layout)
    let old =
      isHeld
      ? unsafe bits.pointee.bitwiseOr(bit, ordering: .relaxed).oldValue
      : unsafe bits.pointee.bitwiseAnd(~bit, ordering: .relaxed).oldValue
    return old & bit != 0
  }
}
