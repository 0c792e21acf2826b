import Addresses
import PageTables

/// A process that writes to its memory, with what that costs the kernel.
struct PagingProcess: ~Copyable {
  private(set) var memory: PagingMemory
  private var space: MeasuredSpace
  private var tlb = NoTLB()
  /// Faults of children that have exited.
  private(set) var childFaultCount = 0

  /// A process without memory, in `byteCount` bytes of physical memory.
  init(policy: LargePagePolicy, physicalByteCount byteCount: UInt) throws {
    var memory = try PagingMemory(byteCount: byteCount)
    let managed = AddrRange(start: VirtAddr(0x1000), end: VirtAddr(0x7FFF_FFFF_F000))
    space = try MeasuredSpace(managing: managed, mapper: memory.mapper, policy: policy, &memory.frames)
    self.memory = memory
  }

  mutating func add(_ range: AddrRange<VirtAddr>) throws(AddressSpaceError) {
    try space.addRegion(range, .userData, &memory.frames)
  }

  mutating func addStack(_ reach: AddrRange<VirtAddr>) throws(AddressSpaceError) {
    try space.addStack(reach, .userData, &memory.frames)
  }

  /// Writes to a page: walks the tables as a processor does, and faults where it may not.
  mutating func write(_ address: VirtAddr) throws(FaultRefusal) {
    try Self.write(address, in: &space, &memory, &tlb)
  }

  private static func write(
    _ address: VirtAddr, in space: inout MeasuredSpace, _ memory: inout PagingMemory, _ tlb: inout NoTLB
  ) throws(FaultRefusal) {
    if let found = try? space.table.translate(address), found.permissions.contains(.write) {
      markWritten(found.physical, memory)
      return
    }
    _ = try space.handleFault(address, .write, &memory.frames, &tlb)
    if let found = try? space.table.translate(address) { markWritten(found.physical, memory) }
  }

  /// Leaves a byte in the page, so that it is no page of zeros.
  private static func markWritten(_ address: PhysAddr, _ memory: borrowing PagingMemory) {
    // SAFETY: the mapper traps for an address that is not in the region, and the page is this process's own.
    unsafe memory.mapper.physToVirt(address).unsafePointer.storeBytes(of: 1, as: UInt8.self)
  }

  /// Forks, lets the child do something through `write`, and lets it exit.
  mutating func forkChild(_ work: (_ write: (VirtAddr) throws -> Void) throws -> Void) throws {
    var child = try space.fork(&memory.frames, &tlb)
    try work { try Self.write($0, in: &child, &memory, &tlb) }
    childFaultCount += child.statistics.faultCount
    child.deallocate(&memory.frames)
  }

  /// What the process has come to.
  func outcome(_ pattern: PagingPattern, _ policy: LargePagePolicy) -> PagingOutcome {
    var pages: [PageSize: Int] = [:]
    space.table.forEachMapping { _, translation in pages[translation.size, default: 0] += 1 }
    return PagingOutcome(
      pattern: pattern, policy: policy.mode, faultCount: space.statistics.faultCount + childFaultCount,
      smallPageCount: pages[.size4KiB] ?? 0, largePageCount: pages[.size2MiB] ?? 0,
      tableByteCount: space.table.tableCount * 4096, promotionCount: space.statistics.promotionCount,
      demotionCount: space.statistics.demotionCount)
  }
}

/// What a pattern came to under a policy.
struct PagingOutcome: Sendable {
  /// How the memory was touched.
  let pattern: PagingPattern
  /// How pages were chosen.
  let policy: LargePagePolicy.Mode
  /// Page faults, those of children included.
  let faultCount: Int
  /// Pages of 4 KiB that are mapped at the end.
  let smallPageCount: Int
  /// Pages of 2 MiB.
  let largePageCount: Int
  /// The bytes of all page tables.
  let tableByteCount: Int
  /// Blocks that became large pages.
  let promotionCount: Int
  /// Large pages that became small ones.
  let demotionCount: Int

  /// The bytes that are mapped.
  var residentByteCount: Int { smallPageCount * 4096 + largePageCount << 21 }

  /// How many entries a TLB has on the second level of many x86-64 processors.
  static let tlbEntryCount = 1536

  /// How many of the mapped bytes so many TLB entries cover at most: the largest pages first.
  var tlbReachByteCount: Int {
    let large = min(largePageCount, Self.tlbEntryCount)
    return large << 21 + min(smallPageCount, Self.tlbEntryCount - large) * 4096
  }

  /// Runs every pattern under every policy, in 256 MiB of physical memory.
  static func all(_ show: (String, Double) -> Void = { _, _ in }) throws -> [PagingOutcome] {
    var outcomes: [PagingOutcome] = []
    let policies: [LargePagePolicy] = [.never, .always, .dynamic]
    for pattern in PagingPattern.allCases {
      for policy in policies {
        show("\(pattern.rawValue), \(policy.mode)", Double(outcomes.count) / 15)
        var process = try PagingProcess(policy: policy, physicalByteCount: 256 << 20)
        try pattern.run(&process)
        outcomes.append(process.outcome(pattern, policy))
      }
    }
    return outcomes
  }
}
