// The main.swift of a package that scripts/test-dependent makes: the obligations of page tables, held at top level,
// where variables are global and cannot be consumed.
import Addresses
import BuddyFrames
import MemoryProtocols
import MemoryRegions
import PageTables

/// Counts the pages that it is asked to invalidate.
struct CountingTLB: TLBInvalidator {
  var pageCount: UInt64 = 0

  mutating func invalidate(_ start: VirtAddr, pageCount: UInt64) { self.pageCount += pageCount }
  mutating func invalidateAll() {}
}

let memory = try MemoryRegion(committing: 1 << 20)
let mapper = OffsetPhysMapper(over: memory.range, from: PhysAddr(1 << 20))
let storage = try MemoryRegion(committing: BuddyFrames.tableByteCount(for: mapper.frames))
var frames = BuddyFrames(over: mapper.frames, tableIn: storage.range, holding: .zeros)
var table = try PageTable<X86FourLevel, OffsetPhysMapper>(mapper: mapper, &frames)
var tlb = CountingTLB()

let page = Page(start: VirtAddr(0x4000_0000))
guard let frame = frames.allocate(.size4KiB) else { fatalError("no frame") }

// A change that is flushed where it is made needs no variable.
try table.map(page, to: frame, PageAttributes(.userData), &frames).flush(using: &tlb)

// One that is kept is an optional, from which take() moves it out.
var change: TLBFlush? = try table.updatePermissions(page, .userReadOnly)
change.take()?.flush(using: &tlb)

var unmapped: UnmappedFrame? = try table.unmap(page)
guard let free = unmapped.take()?.flush(using: &tlb) else { fatalError("no frame") }
frames.deallocate(free)

var batch: FlushBatch? = FlushBatch()
batch?.add(try table.map(page, to: frame, PageAttributes(.userData), &frames))
var batchTLB = CountingTLB()
batch.take()?.flush(using: &batchTLB)

print("\(tlb.pageCount) pages invalidated, and \(batchTLB.pageCount) by a batch")
