internal import Addresses
internal import FirstFitHeap
internal import HeapBlocks
package import Synchronization

// A granule of an arena. A block of an arena has more than 32 KiB, so at most two blocks start in any granule. The
// descriptor has an entry for each: one load finds the size of the block at p, interior and foreign pointers are
// refused without reading the block, and first fit is only asked about blocks that it allocated.

/// A block of an arena, in one word; 0 for no block:
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

/// The descriptor of a granule of an arena. It changes under the arenas' lock. Other threads read the entries
/// meanwhile, and each needs only those of its own blocks.
///
/// A thread reads `SpanRecord.owner` before it knows what the granule is. That word lies behind these fields and is 0, as
/// the granule's last span left it.
@frozen
package struct ArenaRecord: ~Copyable {
  package var granule = GranuleRecord()
  /// The generation of the space's arenas that the granule belongs to (see SpaceRecord.arenaEpoch).
  package var epoch: UInt32 = 0
  /// 0, where a span has its hot owner: the hot path takes no blocks of an arena.
  @usableFromInline let hotOwner = Atomic<UInt>(0)
  /// The entries of the blocks that start here, in any order.
  @usableFromInline let first = Atomic<UInt>(0)
  @usableFromInline let second = Atomic<UInt>(0)

  package init() {}
}

/// A granule of an arena, by the address of its descriptor.
@frozen
package struct ArenaPart: Equatable, Sendable {
  /// The descriptor's address.
  package let address: UInt

  @inlinable @inline(__always)
  package init(address: UInt) { self.address = address }

  @inlinable package var fields: ArenaRecord {
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
}
