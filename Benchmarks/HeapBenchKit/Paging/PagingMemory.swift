import Addresses
import BuddyFrames
import MemoryRegions
import PageTables

/// A region that plays physical memory, the buddy that gives out its frames, and the mapper that reaches them.
struct PagingMemory: ~Copyable {
  /// The frames of the region.
  var frames: BuddyFrames

  /// How the program reaches them.
  let mapper: OffsetPhysMapper

  private let memory: MemoryRegion
  private let table: MemoryRegion

  /// Memory of `byteCount` bytes, at physical addresses from 1 GiB on.
  init(byteCount: UInt) throws {
    let memory = try MemoryRegion(reserving: byteCount, alignment: 2 << 20)
    try memory.commit()
    let range = AddrRange(start: PhysAddr(1 << 30), byteCount: UInt64(byteCount))
    let tableByteCount = VirtAddr(BuddyFrames.tableByteCount(for: range)).alignedUp(to: 4096).raw
    let table = try MemoryRegion(reserving: tableByteCount)
    try table.commit()
    mapper = OffsetPhysMapper(range, at: memory.start)
    frames = BuddyFrames(over: range, tableIn: table.range, holding: .zeros)
    self.memory = memory
    self.table = table
  }

  /// How many frames are in use.
  var usedFrameCount: UInt64 { frames.range.byteCount / 4096 - frames.freeFrameCount }
}

/// Stands in for processors that cache nothing.
struct NoTLB: TLBInvalidator {
  mutating func invalidate(_ start: VirtAddr, pageCount: UInt64) {}
  mutating func invalidateAll() {}
}
