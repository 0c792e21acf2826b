public import Addresses
import Assertions
public import MemoryProtocols

/// What the memory of a frame table holds when an allocator starts in it.
public enum FrameTableContent: Sendable {
  /// Only zeros, as fresh pages from an operating system have. Only what the range's edges need is written.
  case zeros
  /// Anything. The table is cleared first, in time proportional to its size.
  case anything
}

/// A binary buddy allocator over frames of physical memory, or over anything that comes in pieces of 4 KiB.
///
/// It allocates blocks of 2^k frames at multiples of their size, k from 0 (4 KiB) to 18 (1 GiB), and always **the
/// lowest free one**: of all aligned free runs of the requested order, the one at the lowest address. Freed blocks
/// merge at once. The free set and the descriptors of blocks in use lie in a *frame table*, memory that the caller
/// provides. The frames themselves are never touched and need not be mapped.
///
/// ```swift
/// let range = AddrRange(start: PhysAddr(0x1000_0000), byteCount: 1 << 30)
/// var frames = BuddyFrames(over: range, tableIn: table, holding: .zeros)
/// let frame = frames.allocate(.size2MiB)
/// ```
///
/// The cost of allocating or deallocating a block depends neither on what is in use nor on the size of the range,
/// except for one more step of a rare search above each of 64 GiB, 4 TiB and 256 TiB; the essay in `FreeRunIndex.swift`
/// explains how. The allocator holds no lock; ``LockedFrames`` does. Two threads must not use it at once, not even for
/// reading.
///
/// Why the lowest address and not the smallest block that fits: live frames gather at the bottom, the top empties and
/// can be returned to the system, and single frames do not wear down the large blocks above. The price is that a low
/// large block is split although a hole higher up would do.
///
/// The frame at physical address 0 is never allocated, since `Addr.null` stands for no address.
///
/// | file | what is in it |
/// | --- | --- |
/// | `BuddyFrames+Blocks.swift` | blocks of an order or a page size; one frame |
/// | `BuddyFrames+SmallBlocks.swift` | the fast paths of the smallest blocks |
/// | `BuddyFrames+Ranges.swift` | runs of any length, runs at a given address |
/// | `BuddyFrames+Bulk.swift` | many blocks at once |
/// | `BuddyFrames+Reservations.swift` | frames that are never allocated |
/// | `BuddyFrames+Splitting.swift` | splitting and joining blocks in use |
/// | `BuddyFrames+ReferenceCounts.swift` | frames with several holders |
/// | `BuddyFrames+MemoryMap.swift` | starting from a boot loader's memory map |
/// | `BuddyFrames+Statistics.swift` | free memory and its fragmentation |
/// | `BuddyFrames+Consistency.swift` | checks for tests |
public struct BuddyFrames: ~Copyable, FrameAllocator {
  /// The allocator's frames, a whole number of them.
  public let range: AddrRange<PhysAddr>

  /// The descriptor of each frame, with its owner word.
  public let table: FrameTable

  /// How many frames are free.
  public internal(set) var freeFrameCount: UInt64

  /// How many frames are reserved: see ``reserve(_:)``.
  public internal(set) var reservedFrameCount: UInt64 = 0

  /// The multiple of 1 GiB from which frames are numbered.
  let origin: PhysAddr

  /// The number of the first frame of the range.
  let firstFrame: UInt

  /// How many frames the range has.
  let frameCount: UInt64

  /// Which frames are free.
  let index: FreeRunIndex

  /// How many bytes a frame table for `range` needs, at a multiple of ``tableAlignment``.
  ///
  /// It is 16 bytes and some 1.2 bits per frame. The allocator touches only what describes frames in use and their
  /// neighbours: a table for a terabyte can lie in memory that is committed on first use. Traps when the table would
  /// not fit the address space.
  public static func tableByteCount(for range: AddrRange<PhysAddr>) -> UInt {
    let byteCount = FrameTableLayout(for: range).byteCount
    require(byteCount <= UInt64(UInt.max / 2), "a frame table must fit the address space, found bytes", byteCount)
    return UInt(byteCount)
  }

  /// The alignment that a frame table needs, in bytes: a cache line.
  public static var tableAlignment: UInt { 64 }

  /// An allocator for the whole frames in `range`, all free.
  ///
  /// - Parameters:
  ///   - range: Any start; any size below 16 PiB.
  ///   - tableMemory: Memory for the frame table: readable, writable and used by nobody else while the allocator is in
  ///     use. Traps unless it has at least ``tableByteCount(for:)`` bytes at a multiple of ``tableAlignment``.
  ///   - content: What `tableMemory` holds.
  /// - Complexity: O(1) in a table of zeros.
  public init(
    over range: AddrRange<PhysAddr>, tableIn tableMemory: AddrRange<VirtAddr>, holding content: FrameTableContent
  ) {
    let layout = FrameTableLayout(for: range)
    require(
      !tableMemory.start.isNull && tableMemory.start.isAligned(to: BuddyFrames.tableAlignment),
      "a frame table must start at a multiple of 64 bytes, found", UInt64(tableMemory.start.raw))
    require(
      layout.byteCount <= UInt64(tableMemory.byteCount), "a frame table needs more memory than it was given, in bytes",
      layout.byteCount)
    if content == .anything {
      // SAFETY: the caller gave this memory to the table, and it is large enough.
      unsafe tableMemory.start.unsafePointer.initializeMemory(
        as: UInt8.self, repeating: 0, count: Int(layout.byteCount))
    }
    self.range = range.alignedInward(to: PageSize.size4KiB.byteCount)
    origin = layout.origin
    firstFrame = UInt(layout.firstFrame)
    frameCount = layout.endFrame - layout.firstFrame
    index = FreeRunIndex(layout: layout, table: tableMemory.start)
    table = FrameTable(for: self.range, at: tableMemory.start + UInt(layout.descriptors))

    // The index spans whole pieces of 1 GiB, all free. The frames outside the range are taken permanently.
    index.start(layout: layout)
    freeFrameCount = layout.gibibyteCount << 18
    index.counts.start(largestBlockCount: layout.gibibyteCount)
    exclude(from: 0, to: UInt(layout.firstFrame))
    exclude(from: UInt(layout.endFrame), to: UInt(layout.gibibyteCount << 18))
    if self.range.start.isNull && !self.range.isEmpty {
      reserve(AddrRange(start: .null, byteCount: PageSize.size4KiB.byteCount))
    }
  }

  /// A placeholder without frames or a table; it must not be used.
  init() {
    range = AddrRange(start: .null, end: .null)
    let layout = FrameTableLayout(for: range)
    origin = .null
    firstFrame = 0
    frameCount = 0
    freeFrameCount = 0
    index = FreeRunIndex(layout: layout, table: .null)
    table = FrameTable(for: range, at: .null)
  }

  /// Removes frames outside the range from the index.
  private mutating func exclude(from first: UInt, to end: UInt) {
    var pieces = AlignedRuns(from: first, to: end)
    while let (frame, order) = pieces.next() { take(frame, order: order) }
  }

  // MARK: Frame numbers

  /// The number of the frame at `address`, which must be in the range.
  @inline(__always)
  func number(of address: PhysAddr) -> UInt { UInt(truncatingIfNeeded: (address.raw &- origin.raw) &>> 12) }

  /// The address of a frame by its number.
  @inline(__always)
  func address(of frame: UInt) -> PhysAddr { PhysAddr(origin.raw &+ UInt64(frame) &<< 12) }

  // MARK: The free set

  /// Removes a free run from the index and the counts.
  mutating func take(_ frame: UInt, order: UInt8) {
    index.counts.take(order)
    index.counts.cut(outOf: index.take(frame, order: order))
    freeFrameCount &-= 1 &<< UInt64(order)
  }

  /// Returns a run that was taken as a whole.
  mutating func give(_ frame: UInt, order: UInt8) {
    index.counts.give(order)
    index.counts.merge(into: index.give(frame, order: order))
    freeFrameCount &+= 1 &<< UInt64(order)
  }
}
