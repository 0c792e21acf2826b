import Addresses
import BuddyFrames
import MemoryRegions
import PageTables

/// A region that stands for physical memory, the buddy allocator of its frames, and the mapper that reaches them.
struct PagingMemory: ~Copyable {
  /// The frames of the region.
  var frames: BuddyFrames

  /// Maps physical addresses to pointers.
  let mapper: OffsetPhysMapper

  private let memory: MemoryRegion
  private let table: MemoryRegion

  /// Memory of `byteCount` bytes, at physical addresses from 1 GiB.
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
}
