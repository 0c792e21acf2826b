public import Addresses
import BuddyFrames
import Assertions
public import MemoryProtocols

/// The textbook buddy as a heap: it rounds every request up to a power of two of 4 KiB frames.
///
/// This shows how a kernel's frame allocator would serve each of a program's requests: without headers, almost without
/// a search, and with a page for every string. The frame table lies at the front of the range. The frames behind it
/// have their virtual addresses as physical ones, as if the range were identity-mapped memory. The table holds each
/// block's size; the block does not.
///
/// Requests above 1 GiB, the largest order, get nil.
public struct BuddyHeap: ~Copyable, HeapPolicy {
  private var frames: BuddyFrames
  private let rangeStart: VirtAddr
  private var usedByteCount: UInt = 0
  private var peakUsedByteCount: UInt = 0
  private var blockCount: UInt = 0
  private var highestEnd: UInt

  public init(over range: AddrRange<VirtAddr>) {
    let whole = range.alignedInward(to: UInt(PageSize.size4KiB.byteCount))
    // A table for the whole range is slightly too large for the frames behind it; that keeps the split simple.
    let table = BuddyFrames.tableByteCount(for: Self.physical(whole))
    let tableEnd = (whole.start + table).alignedUp(to: UInt(PageSize.size4KiB.byteCount))
    require(tableEnd <= whole.end, "a buddy heap needs room for its frame table", UInt64(whole.byteCount))
    rangeStart = range.start
    highestEnd = tableEnd.raw
    frames = BuddyFrames(
      over: Self.physical(AddrRange(start: tableEnd, end: whole.end)),
      tableIn: AddrRange(start: whole.start, byteCount: table), holding: .anything)
  }

  public mutating func allocate(byteCount: UInt, alignment: UInt) -> VirtAddr? {
    require(alignment.isPowerOfTwo, "an alignment must be a power of two, found", UInt64(alignment))
    guard let order = Self.order(for: max(byteCount, alignment)), let address = frames.allocate(order) else {
      return nil
    }
    usedByteCount += UInt(order.byteCount)
    peakUsedByteCount = max(peakUsedByteCount, usedByteCount)
    blockCount += 1
    highestEnd = max(highestEnd, UInt(address.raw + order.byteCount))
    return VirtAddr(UInt(address.raw))
  }

  public mutating func deallocate(_ address: VirtAddr) {
    let order = order(at: address)
    frames.deallocate(PhysAddr(UInt64(address.raw)), order: order)
    usedByteCount -= UInt(order.byteCount)
    blockCount -= 1
  }

  /// Resizes in place, within the block's own size, and frees the halves that are no longer needed.
  public mutating func resize(_ address: VirtAddr, toByteCount byteCount: UInt) -> Bool {
    let start = PhysAddr(UInt64(address.raw))
    var order = order(at: address)
    guard let wanted = Self.order(for: byteCount), wanted <= order else { return false }
    while wanted < order {
      let half = FrameOrder(order.rawValue - 1)
      frames.split(start, order: order, into: half)
      frames.deallocate(start + half.byteCount, order: half)
      usedByteCount -= UInt(half.byteCount)
      order = half
    }
    return true
  }

  public func usableByteCount(of address: VirtAddr) -> UInt {
    UInt(order(at: address).byteCount)
  }

  public func forEachBlock(_ body: (HeapBlock) -> Void) {
    var address = frames.range.start
    while address < frames.range.end {
      let order: FrameOrder
      let isFree: Bool
      switch frames.use(of: address) {
      case .allocated(_, let size), .reserved(_, let size), .cached(_, let size): (order, isFree) = (size, false)
      case .free: (order, isFree) = (freeOrder(at: address), true)
      }
      let range = AddrRange(start: VirtAddr(UInt(address.raw)), byteCount: UInt(order.byteCount))
      body(HeapBlock(range: range, isFree: isFree))
      address = address + order.byteCount
    }
  }

  public var statistics: HeapStatistics {
    let free = frames.freeBlocks
    var statistics = HeapStatistics()
    statistics.capacityByteCount = UInt(frames.range.byteCount)
    statistics.usedByteCount = usedByteCount
    statistics.freeByteCount = UInt(free.frameCount * PageSize.size4KiB.byteCount)
    statistics.largestFreeByteCount = free.largestOrder.map { UInt($0.byteCount) } ?? 0
    statistics.holeCount = UInt(free.blockCount)
    statistics.blockCount = blockCount
    statistics.peakUsedByteCount = peakUsedByteCount
    statistics.peakExtentByteCount = highestEnd - rangeStart.raw
    return statistics
  }
}

extension BuddyHeap {
  /// The smallest order that holds `byteCount` bytes; nil above 1 GiB.
  private static func order(for byteCount: UInt) -> FrameOrder? {
    let frame = UInt64(PageSize.size4KiB.byteCount)
    return FrameOrder(fitting: max(1, (UInt64(byteCount) + frame - 1) / frame))
  }

  private static func physical(_ range: AddrRange<VirtAddr>) -> AddrRange<PhysAddr> {
    AddrRange(start: PhysAddr(UInt64(range.start.raw)), end: PhysAddr(UInt64(range.end.raw)))
  }

  /// The order of the block at `address`; ends the process when no block starts there.
  private func order(at address: VirtAddr) -> FrameOrder {
    let start = PhysAddr(UInt64(address.raw))
    guard frames.range.contains(start), case .allocated(let head, let order) = frames.use(of: start), head == start
    else { fail("this address is no block of the buddy heap", UInt64(address.raw)) }
    return order
  }

  /// The order of the largest free block that starts at a free frame.
  private func freeOrder(at address: PhysAddr) -> FrameOrder {
    var order = FrameOrder.min
    while order < .max {
      let larger = FrameOrder(order.rawValue + 1)
      guard address.isAligned(to: larger.byteCount), frames.range.end.raw - address.raw >= larger.byteCount,
        frames.isFree(AddrRange(start: address, byteCount: larger.byteCount))
      else { break }
      order = larger
    }
    return order
  }
}

// SAFETY: the frame table lies in the range, which is this heap's alone: the heap can move to another thread as a
// whole.
extension BuddyHeap: @unchecked Sendable {}
