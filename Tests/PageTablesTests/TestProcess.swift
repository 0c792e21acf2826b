import Addresses
import PageTables

/// A counter that simulates the processors' TLBs.
struct CountingTLB: TLBInvalidator {
  private(set) var callCount = 0
  private(set) var pageCount: UInt64 = 0
  private(set) var fullCount = 0
  /// The modelled caches that hear of each call, if any.
  var model: (any TLBInvalidator)?

  mutating func invalidate(_ start: VirtAddr, pageCount: UInt64) {
    callCount += 1
    self.pageCount += pageCount
    model?.invalidate(start, pageCount: pageCount)
  }

  mutating func invalidateAll() {
    fullCount += 1
    model?.invalidateAll()
  }
}

/// A process whose instructions read and write eight bytes. Like a processor, it translates, checks, faults and
/// retries.
struct TestProcess<Format: PageTableFormat>: ~Copyable {
  var space: AddressSpace<Format, OffsetPhysMapper>
  var tlb = CountingTLB()

  static var heap: AddrRange<VirtAddr> { AddrRange(start: VirtAddr(0x1000), end: VirtAddr(0x40_0000_0000 - 4096)) }

  init(policy: LargePagePolicy = .never, _ frames: inout TestFrames) throws {
    space = try AddressSpace(managing: Self.heap, mapper: frames.mapper, policy: policy, &frames)
  }

  init(_ space: consuming AddressSpace<Format, OffsetPhysMapper>) {
    self.space = space
  }

  /// The physical address of a user-mode access, once its faults are resolved.
  mutating func access(
    _ address: VirtAddr, _ access: MemoryAccess, _ frames: inout TestFrames
  ) throws(FaultRefusal) -> PhysAddr {
    var source = NoObjects()
    return try self.access(address, access, &frames, &source)
  }

  mutating func access(
    _ address: VirtAddr, _ access: MemoryAccess, _ frames: inout TestFrames,
    _ source: inout some PageSource & ~Copyable
  ) throws(FaultRefusal) -> PhysAddr {
    for _ in 0..<3 {
      if let found = try? space.table.translate(address),
        found.permissions.contains(MemPerm(rawValue: access.rawValue) | .user)
      {
        return found.physical
      }
      _ = try space.handleFault(address, access, &frames, &tlb, &source)
    }
    fatalError("\(address) faults again and again")
  }

  mutating func write(_ value: UInt64, at address: VirtAddr, _ frames: inout TestFrames) throws(FaultRefusal) {
    frames.write(value, at: try access(address, .write, &frames))
  }

  mutating func read(_ address: VirtAddr, _ frames: inout TestFrames) throws(FaultRefusal) -> UInt64 {
    frames.word(try access(address, .read, &frames))
  }

  mutating func fork(_ frames: inout TestFrames) throws(AddressSpaceError) -> TestProcess {
    TestProcess(try space.fork(&frames, &tlb))
  }

  /// Makes every flush reach modelled caches of the processors that run this process; returns those.
  mutating func attachCaches(_ frames: inout TestFrames) -> ProcessorCaches<Format> {
    let caches = ProcessorCaches<Format>(root: space.table.root, frames)
    frames.watchers.append(caches)
    tlb.model = ModelTLB(caches)
    return caches
  }

  /// Unmaps a range and adds it again: it then reads as zeros.
  mutating func renew(_ range: AddrRange<VirtAddr>, _ frames: inout TestFrames) throws(AddressSpaceError) {
    try space.unmap(range, &frames, &tlb)
    try space.addRegion(range, .userData, &frames)
  }

  consuming func exit(_ frames: inout TestFrames) {
    space.deallocate(&frames)
  }

  consuming func exit(_ frames: inout TestFrames, _ source: inout some PageSource & ~Copyable) {
    space.deallocate(&frames, &source)
  }
}
