internal import Addresses
internal import FirstFitHeap
internal import HeapBlocks
package import Synchronization

// A granule of an arena. A block of an arena has more than 32 KiB, and therefore at most two start in any granule. The
// descriptor has an entry for each: the size of the block at p is one load away, out of line, interior and foreign pointers
// are told without a look into the block, and first fit is only ever asked for blocks that it gave out.

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

  /// The entry of the block at `address`, by its header.
  package init(of address: UInt) {
    let blockByteCount = FirstFitHeap.blockByteCount(of: VirtAddr(address))
    let largeClass = LargeClass(within: blockByteCount - BlockLayout.headerByteCount)
    let number = UInt(bitPattern: largeClass.index < LargeClass.count ? largeClass.index : LargeClass.none)
    let offset = address & (Granule.byteCount - 1)
    word = offset | 1 | number << ArenaEntry.classShift | blockByteCount << ArenaEntry.byteCountShift
  }

  /// No block.
  package static var none: ArenaEntry { ArenaEntry(word: 0) }

  /// Where in its granule the block starts.
  package var offset: UInt { word & (Granule.byteCount - 1) & ~1 }

  /// The block's bytes, its header included.
  @inlinable package var blockByteCount: UInt { word >> ArenaEntry.byteCountShift }

  /// The bytes for its holder.
  package var byteCount: UInt { blockByteCount &- BlockLayout.headerByteCount }

  /// The number of the `LargeClass` that the block can serve, `LargeClass.none` when there is none.
  @inlinable package var classIndex: Int { Int(bitPattern: word >> ArenaEntry.classShift & UInt(UInt8.max)) }

  /// Whether this is the entry of the block at `address`, which lies in its granule and at a multiple of 16.
  @inlinable @inline(__always)
  package func describes(_ address: UInt) -> Bool {
    UInt16(truncatingIfNeeded: word) == UInt16(truncatingIfNeeded: address | 1)
  }
}

/// The descriptor of a granule of an arena. Changed under the arenas' lock; other threads read the entries meanwhile, and
/// need only those of their own blocks.
@frozen
package struct ArenaRecord: ~Copyable {
  package var granule = GranuleRecord()
  /// In which generation of the space's arenas the granule came to them (see SpaceRecord.arenaEpoch).
  package var epoch: UInt8 = 0
  /// Where a span has its hot owner: 0, for a block of an arena is nothing for the hot path.
  @usableFromInline let hotOwner = Atomic<UInt>(0)
  /// The entries of the blocks that start here, in no order.
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
