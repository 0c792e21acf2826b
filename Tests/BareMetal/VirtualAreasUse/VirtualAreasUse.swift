import Addresses
import MemoryProtocols
import PageTables
import VirtualAreas

// Generic code is compiled where it is used. This file uses virtual areas over every family's page tables, for
// scripts/check-bare-metal.

/// An allocator that hands out one frame after another and never frees: enough to compile.
struct EndlessFrames: ~Copyable, FrameAllocator {
  private var next: UInt64 = 0x100_0000

  mutating func allocate(_ size: PageSize) -> Page<PhysAddr>? {
    next += 2 * size.byteCount
    return Page(containing: PhysAddr(next), size: size)
  }

  mutating func deallocate(_ frame: Page<PhysAddr>) {}
}

func useAreas<Format: PageTableFormat>(
  _ table: inout PageTable<Format, OffsetPhysMapper>, _ frames: inout EndlessFrames
) throws(VirtualAreaError) -> Bool {
  var tlb = NoTLB()
  let managed = AddrRange(start: VirtAddr(0x1000), end: VirtAddr(0x400_0000))
  var areas = try VirtualAreas(managing: managed, mapper: table.mapper, &frames)
  let memory = try areas.allocate(0x1_0000, in: &table, &frames, &tlb)
  _ = try areas.allocateStack(in: &table, &frames, &tlb)
  let device = AddrRange(start: PhysAddr(0x1000), byteCount: 0x1000)
  _ = try areas.map(device, .kernelData, as: .device, in: &table, &frames, &tlb)
  let isThere = areas.area(containing: memory.start) != nil
  areas.deallocate(memory, in: &table, &frames, &tlb)
  areas.deallocate(in: &table, &frames, &tlb)
  return isThere
}

func use<Format: PageTableFormat>(_ format: Format.Type) -> Bool {
  var frames = EndlessFrames()
  let mapper = OffsetPhysMapper(AddrRange(start: .null, byteCount: 1 << 30), at: VirtAddr(0x1000))
  do throws(MapError) {
    var table = try PageTable<Format, OffsetPhysMapper>(mapper: mapper, &frames)
    do throws(VirtualAreaError) {
      return try useAreas(&table, &frames)
    } catch {
      return false
    }
  } catch {
    return false
  }
}

/// Uses all of it; it is compiled, not run.
@c(lab_use_virtual_areas)
public func useVirtualAreas() -> CInt {
  let all =
    use(X86FourLevel.self) && use(X86FiveLevel.self) && use(AArch64Lower.self) && use(AArch64Upper.self)
    && use(Sv39.self) && use(Sv48.self) && use(Sv57.self)
  return all ? 1 : 0
}
