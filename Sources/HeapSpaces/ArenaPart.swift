internal import Addresses
internal import FirstFitHeap
internal import HeapBlocks
package import Synchronization

// A granule of an arena. At most two blocks of more than 32 KiB start in it. The descriptor has an entry for each: one
// load finds the size of the block at p. Smaller blocks have more than 4 KiB, so at most one starts in a page. The
// descriptor has the place of each; the size stands in first fit's header. Either way, interior and foreign pointers are
// refused without reading the block, and first fit is only asked about blocks that it allocated.

/// A block of an arena above 32 KiB, in one word; 0 for no block:
///
///     offset in the granule + 1 | number of the LargeClass, 255 for none, << 16 | bytes with the header << 24
@frozen
package struct ArenaEntry: Equatable {
  package let word: UInt

  @inlinable @inline(__always)
  package init(word: UInt) { self.word = word }

  /// Where the class's number and the bytes begin in the word, in bits.
  @inlinable static var classShift: UInt { 16 }
  @inlinable static var byteCountShift: UInt { 24 }

  /// The entry of the block at `address`, taken from its header.
  package init(of address: UInt) {
    let blockByteCount = FirstFitHeap.blockByteCount(of: VirtAddr(address))
    let largeClass = LargeClass(within: blockByteCount - BlockLayout.headerByteCount)
    let number = UInt(bitPattern: largeClass.index < LargeClass.count ? largeClass.index : LargeClass.none)
    let offset = address & (Granule.byteCount - 1)
    word = offset | 1 | number << ArenaEntry.classShift | blockByteCount << ArenaEntry.byteCountShift
  }

  /// The entry for no block.
  package static var none: ArenaEntry { ArenaEntry(word: 0) }

  /// The block's offset in its granule, in bytes.
  package var offset: UInt { word & (Granule.byteCount - 1) & ~1 }

  /// The block's size in bytes, its header included.
  @inlinable package var blockByteCount: UInt { word >> ArenaEntry.byteCountShift }

  /// How many bytes the block's holder may use.
  package var byteCount: UInt { blockByteCount &- BlockLayout.headerByteCount }

  /// The number of the `LargeClass` that the block can serve, `LargeClass.none` for none.
  @inlinable package var classIndex: Int { Int(bitPattern: word >> ArenaEntry.classShift & UInt(UInt8.max)) }

  /// Whether this is the entry of the block at `address`, a multiple of 16 in the entry's granule.
  @inlinable @inline(__always)
  package func describes(_ address: UInt) -> Bool {
    UInt16(truncatingIfNeeded: word) == UInt16(truncatingIfNeeded: address | 1)
  }
}

/// The descriptor of a granule of an arena. It changes under the arena's lock. Other threads read it meanwhile, and each
/// needs only what describes its own blocks.
///
/// A thread reads `SpanRecord.owner` before it knows what the granule is. At that place the descriptor has 0, as the
/// granule's last span left it.
@frozen
package struct ArenaPartRecord: ~Copyable {
  package var granule = GranuleRecord()
  /// The generation of the arena that the granule belongs to (see ArenaRecord.epoch).
  package var epoch: UInt32 = 0
  /// 0, where a span has its hot owner: the hot path takes no blocks of an arena.
  @usableFromInline let hotOwner = Atomic<UInt>(0)
  /// The entries of the blocks above 32 KiB that start here, in any order.
  @usableFromInline let first = Atomic<UInt>(0)
  @usableFromInline let second = Atomic<UInt>(0)
  /// Where in its page a smaller block starts, in steps of 16 bytes, and in which pages one does, one bit each.
  @usableFromInline var startSteps = InlineArray<16, UInt8>(repeating: 0)
  @usableFromInline let startPages = Atomic<UInt16>(0)
  /// The number of the arena.
  package var arenaNumber: UInt8 = 0

  package init() {}
}

/// A granule of an arena, by the address of its descriptor.
@frozen
package struct ArenaPart: Equatable, Sendable {
  /// The descriptor's address.
  package let address: UInt

  @inlinable @inline(__always)
  package init(address: UInt) { self.address = address }

  @inlinable package var fields: ArenaPartRecord {
    // SAFETY: the granule's use says that its descriptor is an arena's.
    @inline(__always) unsafeAddress {
      unsafe UnsafePointer(bitPattern: address).unsafelyUnwrapped
    }
    @inline(__always) nonmutating unsafeMutableAddress {
      unsafe UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped
    }
  }

  @inlinable package var first: ArenaEntry {
    get { ArenaEntry(word: fields.first.load(ordering: .relaxed)) }
    nonmutating set { fields.first.store(newValue.word, ordering: .relaxed) }
  }

  @inlinable package var second: ArenaEntry {
    get { ArenaEntry(word: fields.second.load(ordering: .relaxed)) }
    nonmutating set { fields.second.store(newValue.word, ordering: .relaxed) }
  }

  /// The pages, one bit each, in which a block of at most 32 KiB starts.
  @inlinable package var startPages: UInt16 {
    get { fields.startPages.load(ordering: .relaxed) }
    nonmutating set { fields.startPages.store(newValue, ordering: .relaxed) }
  }
}
