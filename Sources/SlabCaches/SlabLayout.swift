public import Addresses
import Assertions

// How a slab is divided.
//
//   ┌────────┬────────┬────────┬────────┬─────┬────────┬──────┐
//   │ header │ colour │ object │ object │ ... │ object │ rest │     2^order frames
//   └────────┴────────┴────────┴────────┴─────┴────────┴──────┘
//
//   headerByteCount + colour + objectCount * objectByteCount <= slabByteCount
//
// The header holds one bit for each object. Links or marks inside free objects would destroy their constructed state,
// and with bits no free object's cache lines are touched. The slab lies at a multiple of its size, so an object's
// address leads to its slab's header by a mask.
//
// The order is the smallest that wastes at most an eighth of the slab. What is left over after the last object is spent
// on *colours*: slabs start their objects at different offsets. Otherwise the first cache lines of all objects, which
// are usually the hot ones, would compete for the same sets of the processor's cache.
//
// Source: Bonwick, "The Slab Allocator: An Object-Caching Kernel Memory Allocator", USENIX Summer 1994, sections 3 and 4.

/// The size of a slab and the places of its objects.
@frozen
public struct SlabLayout: Equatable, Sendable {
  /// The size of a slab.
  public let order: FrameOrder
  /// The bytes from one object to the next: the object, rounded up to the alignment.
  public let objectByteCount: UInt
  /// How many objects a slab has.
  public let objectCount: UInt
  /// The offset of the first object of a slab of colour 0.
  public let headerByteCount: UInt
  /// How many colours there are, at least 1.
  public let colourCount: UInt
  /// The bytes from one colour to the next.
  public let colourByteCount: UInt
  /// Whether slabs have a second bit for each object, which says whether someone holds it.
  public let hasHeldBits: Bool

  /// The largest object, in bytes. Larger ones are whole frames, and are best allocated as such.
  public static var objectByteMaximum: UInt { 16384 }

  /// The largest alignment, in bytes.
  public static var alignmentMaximum: UInt { 4096 }

  /// The largest slab: 128 KiB.
  public static var orderMaximum: FrameOrder { FrameOrder(5) }

  /// The bytes of a cache line, the smallest step between colours.
  static var cacheLineByteCount: UInt { 64 }

  /// The layout for objects of `byteCount` bytes at multiples of `alignment`.
  ///
  /// Traps unless the size is 1 to ``objectByteMaximum`` and the alignment a power of two up to ``alignmentMaximum``.
  public init(byteCount: UInt, alignment: UInt, hasHeldBits: Bool) {
    require(
      byteCount >= 1 && byteCount <= SlabLayout.objectByteMaximum,
      "an object of a slab cache must have 1 to 16384 bytes, found", UInt64(byteCount))
    require(
      alignment.isPowerOfTwo && alignment <= SlabLayout.alignmentMaximum,
      "an alignment in a slab cache must be a power of two up to 4096, found", UInt64(alignment))
    // At least a word each: the header's bits for smaller objects would cost more than the objects.
    let alignment = max(alignment, UInt(MemoryLayout<UInt>.alignment))
    let stride = (max(byteCount, UInt(MemoryLayout<UInt>.size)) + alignment - 1) & ~(alignment - 1)
    var order: UInt8 = 0
    var places = Places(order, stride, alignment, hasHeldBits)
    while places.wasteByteCount > places.slabByteCount / 8 && order < SlabLayout.orderMaximum.rawValue {
      order += 1
      places = Places(order, stride, alignment, hasHeldBits)
    }
    self.order = FrameOrder(order)
    objectByteCount = stride
    objectCount = places.objectCount
    headerByteCount = places.headerByteCount
    colourByteCount = max(alignment, SlabLayout.cacheLineByteCount)
    colourCount = (places.slabByteCount - places.headerByteCount - places.objectCount * stride) / colourByteCount + 1
    self.hasHeldBits = hasHeldBits
  }

  /// How many bytes a slab has.
  @inlinable public var slabByteCount: UInt { 4096 << UInt(order.rawValue) }

  /// How many words hold a bit for each object.
  @inlinable var wordCount: UInt { (objectCount &+ UInt(UInt.bitWidth) &- 1) / UInt(UInt.bitWidth) }

  /// The offset of the first object in the slab at `address`. Neighbouring slabs have different colours.
  @usableFromInline
  func firstOffset(ofSlabAt address: PhysAddr) -> UInt {
    let number = address.raw >> (12 + UInt64(order.rawValue))
    return headerByteCount + UInt(number % UInt64(colourCount)) * colourByteCount
  }
}

/// The places in a slab of a given order.
private struct Places {
  let slabByteCount: UInt
  let headerByteCount: UInt
  let objectCount: UInt
  let wasteByteCount: UInt

  init(_ order: UInt8, _ stride: UInt, _ alignment: UInt, _ hasHeldBits: Bool) {
    slabByteCount = 4096 << UInt(order)
    // Enough bits for as many objects as the slab would have without a header: at most one word too many.
    let wordCount = (slabByteCount / stride + UInt(UInt.bitWidth) - 1) / UInt(UInt.bitWidth)
    let bitByteCount = wordCount * UInt(MemoryLayout<UInt>.size) * (hasHeldBits ? 2 : 1)
    headerByteCount = (UInt(MemoryLayout<SlabHeader>.size) + bitByteCount + alignment - 1) & ~(alignment - 1)
    objectCount = slabByteCount > headerByteCount ? (slabByteCount - headerByteCount) / stride : 0
    wasteByteCount = slabByteCount - objectCount * stride
  }

}
