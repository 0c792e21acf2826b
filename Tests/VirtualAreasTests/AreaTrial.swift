import Addresses
import PageTables
import Testing
import VirtualAreas

/// A processor without IA32_EFER.NXE.
enum X86WithoutExecuteDisable: X86Format {
  static var levelCount: Int { 4 }
  static var hasExecuteDisable: Bool { false }
}

/// A kernel's tables, areas, frames and TLB.
struct AreaTrial<Format: PageTableFormat>: ~Copyable {
  var frames: AreaFrames
  var table: PageTable<Format, OffsetPhysMapper>
  var areas: VirtualAreas<OffsetPhysMapper>
  var tlb = ModelTLB()

  init(_ range: AddrRange<VirtAddr>, guardByteCount: UInt = 4096, lazyPageMaximum: Int = 8192) throws {
    var frames = AreaFrames()
    var table = try PageTable<Format, OffsetPhysMapper>(mapper: frames.mapper, &frames)
    try table.prepareKernelHalf(&frames)
    let areas = try VirtualAreas(
      managing: range, mapper: frames.mapper, guardByteCount: guardByteCount, lazyPageMaximum: lazyPageMaximum,
      &frames)
    self.table = table
    self.areas = areas
    self.frames = frames
  }

  /// Allocates an area, which a processor then uses.
  mutating func allocate(_ byteCount: UInt) throws(VirtualAreaError) -> AddrRange<VirtAddr> {
    let area = try areas.allocate(byteCount, in: &table, &frames, &tlb)
    #expect(tlb.cached.isDisjoint(with: area.pages().map(\.start)), "\(area) may still be translated as before")
    tlb.cache(area)
    return area
  }

  mutating func free(_ area: AddrRange<VirtAddr>) {
    areas.deallocate(area, in: &table, &frames, &tlb)
  }

  /// Whether an address is mapped.
  func isMapped(_ address: VirtAddr) -> Bool { (try? table.translate(address)) != nil }

  /// Frees everything; returns how many frames are left.
  consuming func end() -> Int {
    areas.deallocate(in: &table, &frames, &tlb)
    var frames = frames
    table.deallocateWithKernelHalf(&frames)
    return frames.used.count
  }
}
