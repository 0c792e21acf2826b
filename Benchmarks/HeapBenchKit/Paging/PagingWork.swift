import Addresses
import BuddyFrames
import PageTables

// The measured work. No function here is inlined, and every name starts with `pagingMeasured`: callgrind counts only
// inside functions with such a name.

typealias MeasuredTable = PageTable<X86FourLevel, OffsetPhysMapper>
typealias MeasuredSpace = AddressSpace<X86FourLevel, OffsetPhysMapper>

@inline(never)
func pagingMeasuredMap(
  _ table: inout MeasuredTable, _ range: AddrRange<VirtAddr>, to start: PhysAddr, _ frames: inout BuddyFrames
) throws(RangeError<MapError>) {
  try table.map(range, to: start, .userData, largest: .size4KiB, &frames).ignore()
}

@inline(never)
func pagingMeasuredUnmap(
  _ table: inout MeasuredTable, _ range: AddrRange<VirtAddr>, _ frames: inout BuddyFrames
) throws(RangeError<UnmapError>) -> UInt64 {
  var sum: UInt64 = 0
  var tlb = NoTLB()
  try table.unmap(range, &frames, &tlb) { sum &+= $0.physical.raw }.ignore()
  return sum
}

@inline(never)
func pagingMeasuredProtect(
  _ table: inout MeasuredTable, _ range: AddrRange<VirtAddr>, _ permissions: MemPerm, _ frames: inout BuddyFrames
) throws(RangeError<MapError>) {
  var tlb = NoTLB()
  try table.protect(range, permissions, &frames, &tlb).ignore()
}

/// The loop counts as part of the cost. It translates four addresses in each turn; their number is a multiple of four.
@inline(never)
func pagingMeasuredTranslate(
  _ table: borrowing MeasuredTable, _ addresses: Span<VirtAddr>
) throws(TranslationError) -> UInt64 {
  var sum: UInt64 = 0
  var index = addresses.count
  while index != 0 {
    index &-= 4
    // SAFETY: the index is at least 0, and the three after it are below the count.
    sum &+= try table.translate(unsafe addresses[unchecked: index]).physical.raw
    sum &+= try table.translate(unsafe addresses[unchecked: index &+ 1]).physical.raw
    sum &+= try table.translate(unsafe addresses[unchecked: index &+ 2]).physical.raw
    sum &+= try table.translate(unsafe addresses[unchecked: index &+ 3]).physical.raw
  }
  return sum
}

@inline(never)
func pagingMeasuredFork(
  _ space: inout MeasuredSpace, _ frames: inout BuddyFrames
) throws(AddressSpaceError) -> MeasuredSpace {
  var tlb = NoTLB()
  return try space.fork(&frames, &tlb)
}

/// One run of one operation, with set-up and clean-up around the measured part.
struct PagingRun: ~Copyable {
  var memory: PagingMemory
  private var table: MeasuredTable
  private let range = AddrRange(start: VirtAddr(0x7F00_0000_0000), byteCount: UInt(PagingOperation.pageCount) * 4096)
  /// The first of the frames that ranges are mapped to; nothing touches them.
  private let target = PhysAddr(64 << 30)

  init() throws {
    var memory = try PagingMemory(byteCount: 128 << 20)
    table = try MeasuredTable(mapper: memory.mapper, &memory.frames)
    self.memory = memory
  }

  /// Runs the operation once; `measure` runs the measured part.
  mutating func run(_ operation: PagingOperation, _ measure: (() throws -> Void) throws -> Void) throws {
    switch operation {
    case .mapRange:
      try measure { try pagingMeasuredMap(&table, range, to: target, &memory.frames) }
      _ = try unmap()
    case .unmapRange:
      try map()
      try measure { _ = try pagingMeasuredUnmap(&table, range, &memory.frames) }
      table.deallocateRetiredTables(&memory.frames)
    case .protectRange:
      try map()
      try measure { try pagingMeasuredProtect(&table, range, .userReadOnly, &memory.frames) }
      _ = try unmap()
    case .translate:
      try map()
      let addresses = addresses
      try measure { _ = try pagingMeasuredTranslate(table, addresses.span) }
      _ = try unmap()
    case .fork: try fork(measure)
    }
  }

  private mutating func map() throws {
    try table.map(range, to: target, .userData, largest: .size4KiB, &memory.frames).ignore()
  }

  private mutating func unmap() throws -> Int {
    var count = 0
    var tlb = NoTLB()
    try table.unmap(range, &memory.frames, &tlb) { _ in count += 1 }.ignore()
    table.deallocateRetiredTables(&memory.frames)
    return count
  }

  /// An address in every page, in an order that differs from that of the tables.
  private var addresses: [VirtAddr] {
    (0..<UInt(PagingOperation.pageCount)).map { step in
      range.start + step * 7919 % UInt(PagingOperation.pageCount) * 4096 + 8
    }
  }

  /// Forks a space whose pages were touched out of order; frames of neighbouring pages are then no neighbours.
  private mutating func fork(_ measure: (() throws -> Void) throws -> Void) throws {
    var tlb = NoTLB()
    let managed = AddrRange(start: VirtAddr(0x1000), end: VirtAddr(0x7FFF_FFFF_F000))
    var space = try MeasuredSpace(managing: managed, mapper: memory.mapper, policy: .never, &memory.frames)
    try space.addRegion(range, .userData, &memory.frames)
    var index: UInt = 0
    for _ in 0..<PagingOperation.pageCount {
      index = (index &+ 7919) % UInt(PagingOperation.pageCount)
      _ = try space.handleFault(range.start + index * 4096, .write, &memory.frames, &tlb)
    }
    var child: MeasuredSpace?
    try measure { child = try pagingMeasuredFork(&space, &memory.frames) }
    if let child = child.take() { child.deallocate(&memory.frames) }
    space.deallocate(&memory.frames)
  }
}
