import Addresses
import PageTables

/// A simulated process that writes to its memory, with the page tables and counts that a kernel would keep.
struct PagingProcess: ~Copyable {
  private(set) var memory: PagingMemory
  private var space: MeasuredSpace
  private var tlb = NoTLB()
  /// The page faults of children that have exited.
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

  /// Writes to a page: walks the tables as a processor does, and faults where the page is not writable.
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

  /// Writes a byte to the page, which is then no page of zeros.
  private static func markWritten(_ address: PhysAddr, _ memory: borrowing PagingMemory) {
    // SAFETY: the mapper traps for an address outside the region, and the page is this process's own.
    unsafe memory.mapper.physToVirt(address).unsafePointer.storeBytes(of: 1, as: UInt8.self)
  }

  /// Forks, lets the child work through `write`, and lets it exit.
  mutating func forkChild(_ work: (_ write: (VirtAddr) throws -> Void) throws -> Void) throws {
    var child = try space.fork(&memory.frames, &tlb)
    try work { try Self.write($0, in: &child, &memory, &tlb) }
    childFaultCount += child.statistics.faultCount
    child.deallocate(&memory.frames)
  }

  /// The figures of the process.
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

/// The figures of a pattern under a policy.
struct PagingOutcome: Sendable {
  /// How the process touched its memory.
  let pattern: PagingPattern
  /// How the kernel chose page sizes.
  let policy: LargePagePolicy.Mode
  /// The page faults, those of children included.
  let faultCount: Int
  /// The 4 KiB pages that are mapped at the end.
  let smallPageCount: Int
  /// The 2 MiB pages that are mapped at the end.
  let largePageCount: Int
  /// The bytes of all page tables.
  let tableByteCount: Int
  /// The blocks of small pages that became large pages.
  let promotionCount: Int
  /// The large pages that became small ones.
  let demotionCount: Int

  /// The mapped bytes.
  var residentByteCount: Int { smallPageCount * 4096 + largePageCount << 21 }

  /// The number of entries in the second-level TLB of many x86-64 processors.
  static let tlbEntryCount = 1536

  /// The most mapped bytes that those entries cover: the largest pages come first.
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
