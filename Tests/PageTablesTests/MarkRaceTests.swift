import Addresses
import Foundation
import PageTables
import Synchronization
import Testing

/// A thread sets dirty marks, as a processor's walker does, while another changes the tables. No mark is lost.
@Suite(.serialized) struct MarkRaceTests {
  static let block = AddrRange(start: VirtAddr(0x40_0000), byteCount: 2 << 20)

  /// A walker without a TLB that writes to one page after the other.
  struct Walker<Format: PageTableFormat>: @unchecked Sendable {
    // SAFETY: the words behind the pointer are accessed as atomics alone, here and in the tables.
    let memory: UnsafeMutableRawPointer
    let root: UInt64
    let rules = ProcessorRules(Format.self)

    func slot(_ location: UInt64) -> UnsafeMutablePointer<Atomic<UInt64>> {
      (memory + Int(location)).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// Writes to a page as a processor does: sets the marks in the leaf found, if that allows writing and is still what
    /// it was. Returns whether it wrote.
    func write(to page: UInt64) -> Bool {
      var table = root
      var level = Format.levelCount - 1
      while true {
        let location = table + (page >> (12 + 9 * UInt64(level)) & 511) * 8
        let bits = slot(location).pointee.load(ordering: .acquiring)
        switch Format.kind(of: PageTableEntry(bits), level: level) {
        case .empty, .malformed: return false
        case .table:
          table = Format.address(in: PageTableEntry(bits)).raw
          level -= 1
        case .leaf:
          guard rules.isWritable(bits) else { return false }
          let (isDone, _) = slot(location).pointee.compareExchange(
            expected: bits, desired: rules.written(bits), ordering: .relaxed)
          return isDone
        }
      }
    }
  }

  @Test func protect() throws {
    try race(X86FourLevel.self, Self.protectRange)
    try race(AArch64Lower.self, Self.protectRange)
    try race(Sv39.self, Self.protectRange)
  }

  @Test func splitAndJoin() throws {
    try race(X86FourLevel.self, Self.splitJoined)
    try race(AArch64Lower.self, Self.splitJoined)
    try race(Sv39.self, Self.splitJoined)
  }

  static func protectRange<Format: PageTableFormat>(
    _ table: inout PageTable<Format, OffsetPhysMapper>, _ frames: inout TestFrames, _ tlb: inout Race, _ turn: Int
  ) throws {
    try table.protect(block, turn % 2 == 0 ? .userData | .execute : .userData, &frames, &tlb).ignore()
  }

  static func splitJoined<Format: PageTableFormat>(
    _ table: inout PageTable<Format, OffsetPhysMapper>, _ frames: inout TestFrames, _ tlb: inout Race, _ turn: Int
  ) throws {
    #expect(try table.join(block, &tlb) == 1)
    try table.split(Page(start: block.start, size: .size2MiB), &frames, &tlb)
  }

  /// Clears all marks, then changes the tables ten times while a walker writes; each page that it wrote to is dirty.
  func race<Format: PageTableFormat>(
    _ format: Format.Type,
    _ change: (inout PageTable<Format, OffsetPhysMapper>, inout TestFrames, inout Race, Int) throws -> Void
  ) throws {
    var frames = TestFrames()
    var table = try PageTable<Format, OffsetPhysMapper>(mapper: frames.mapper, &frames)
    try table.map(Self.block, to: PhysAddr(0x20_0000), .userData, largest: .size4KiB, &frames).ignore()
    let walker = Walker<Format>(memory: frames.memory - Int(TestFrames.base), root: table.root.raw)
    for round in 0..<4 {
      for page in 0..<UInt(512) {
        _ = try table.clearDirty(Page(start: Self.block.start + page * 4096)).ignore()
      }
      var race = Race { walker.write(to: UInt64(Self.block.start.raw) + $0 * 4096) }
      for turn in 0..<10 { try change(&table, &frames, &race, turn) }
      let written = race.end()
      for page in 0..<512 where written[page] {
        let isDirty = try table.translate(Self.block.start + UInt(page) * 4096).isDirty
        #expect(isDirty, "\(Format.self), round \(round): page \(page) was written to and is not dirty")
      }
    }
  }
}

/// A thread that writes to 512 pages in turn until the end, as an invalidator: a flush waits for the write under way.
struct Race: TLBInvalidator {
  private final class State: Sendable {
    /// How often a write began or ended: odd during a write.
    let stepCount = Atomic<UInt64>(0)
    let isOver = Atomic(false)
    let written = Mutex([Bool](repeating: false, count: 512))
    let ended = DispatchSemaphore(value: 0)
  }

  private let state = State()

  /// Starts the thread, and returns once it writes.
  init(_ write: @escaping @Sendable (UInt64) -> Bool) {
    let state = state
    Thread.detachNewThread {
      var written = [Bool](repeating: false, count: 512)
      var page = 0
      while !state.isOver.load(ordering: .relaxed) {
        // Acquiring and releasing pair with the load in `invalidate`: nothing of a write happens outside its two steps.
        state.stepCount.add(1, ordering: .acquiringAndReleasing)
        if write(UInt64(page)) { written[page] = true }
        state.stepCount.add(1, ordering: .acquiringAndReleasing)
        page = (page + 1) % 512
      }
      state.written.withLock { $0 = written }
      state.ended.signal()
    }
    while state.stepCount.load(ordering: .acquiring) < 1024 {}
  }

  mutating func invalidate(_ start: VirtAddr, pageCount: UInt64) { invalidateAll() }

  mutating func invalidateAll() {
    // Acquiring pairs with the thread's steps.
    let before = state.stepCount.load(ordering: .sequentiallyConsistent)
    while before % 2 == 1, state.stepCount.load(ordering: .acquiring) == before {}
  }

  /// Stops the thread; returns the pages that it wrote to.
  func end() -> [Bool] {
    state.isOver.store(true, ordering: .relaxed)
    state.ended.wait()
    return state.written.withLock { $0 }
  }
}
