import Addresses
import BuddyFrames

// A pair frees a frame at random among those in use, and allocates the lowest free one in its place.

/// An allocator whose pairs are counted.
protocol FramePairAllocator: ~Copyable {
  mutating func allocate(_ order: FrameOrder) -> PhysAddr?
  mutating func deallocate(_ address: PhysAddr, order: FrameOrder)
}

extension BuddyFrames: FramePairAllocator {}
extension SparseFrames: FramePairAllocator {}

/// Takes the steps in a function of its own, the only one within which callgrind counts. The loop adds seven instructions
/// to each pair.
@inline(never)
func frameMeasuredPairs(
  _ frames: inout some FramePairAllocator & ~Copyable, _ used: inout MutableSpan<PhysAddr>, _ slots: Span<Int>
) {
  var index = slots.count
  while index != 0 {
    index &-= 1
    // SAFETY: the index is below the count, and each slot below that of the frames in use.
    let slot = unsafe slots[unchecked: index]
    // SAFETY: as above.
    frames.deallocate(unsafe used[unchecked: slot], order: .min)
    guard let frame = frames.allocate(.min) else { preconditionFailure("a frame was just freed") }
    // SAFETY: as above.
    unsafe used[unchecked: slot] = frame
  }
}

/// The command that runs pairs once, for callgrind to count.
public enum FramePairs {
  /// The command's name, which `heapbench` does not list.
  public static let subcommand = "frame-pairs"

  /// How many frames are in use.
  static let usedCount = 100_000
  /// How many pairs are counted.
  static let pairCount = 20_000

  /// Runs the command.
  public static func perform(_ memory: FrameMemory) throws {
    switch memory {
    case .oneGiB: try perform(byteCount: 1 << 30)
    case .oneTiB: try perform(byteCount: 1 << 40)
    case .sparse: try performSparsely(bankByteCount: 64 << 30, bankCount: 8)
    }
  }

  private static func perform(byteCount: UInt64) throws {
    let range = AddrRange(start: PhysAddr(4 << 30), byteCount: byteCount)
    let table = try ReplayMemory(byteCount: BuddyFrames.tableByteCount(for: range), isPinned: false)
    var frames = BuddyFrames(over: range, tableIn: table.range, holding: .zeros)
    run(&frames)
  }

  private static func performSparsely(bankByteCount: UInt64, bankCount: Int) throws {
    let span = AddrRange(start: PhysAddr.null, byteCount: 2 * bankByteCount * UInt64(bankCount))
    let bank = AddrRange(start: PhysAddr.null, byteCount: bankByteCount)
    let tableByteCount = (BuddyFrames.tableByteCount(for: bank) + 4095) & ~4095
    let list = try ReplayMemory(
      byteCount: SparseFrames.byteCount(spanning: span, bankCapacity: bankCount), isPinned: false)
    let tables = try ReplayMemory(byteCount: tableByteCount * UInt(bankCount), isPinned: false)
    var frames = SparseFrames(spanning: span, bankCapacity: bankCount, in: list.range)
    for index in 0..<bankCount {
      let range = AddrRange(start: PhysAddr(2 * bankByteCount * UInt64(index)), byteCount: bankByteCount)
      let table = AddrRange(start: tables.range.start + tableByteCount * UInt(index), byteCount: tableByteCount)
      frames.add(range, tableIn: table, holding: .zeros)
    }
    run(&frames)
  }

  /// Takes the steps twice: once until the frames in use are mixed, and once to be measured.
  private static func run(_ frames: inout some FramePairAllocator & ~Copyable) {
    var random = ReproducibleRandom(seed: 7)
    var used = ContiguousArray<PhysAddr>()
    for _ in 0..<usedCount {
      guard let frame = frames.allocate(.min) else { preconditionFailure("there must be frames for the pairs") }
      used.append(frame)
    }
    let slots = (0..<pairCount).map { _ in random.index(below: usedCount) }
    for slot in slots {
      frames.deallocate(used[slot], order: .min)
      if let frame = frames.allocate(.min) { used[slot] = frame }
    }
    var span = used.mutableSpan
    frameMeasuredPairs(&frames, &span, slots.span)
  }

  /// The instructions for each pair.
  ///
  /// - Throws: ``GateObstacle`` when valgrind or strip is not installed, or when its output is not understood.
  static func count(_ memory: FrameMemory, on workbench: GateWorkbench) async throws -> Double {
    let heapbench = try await workbench.stripped("heapbench", product: "heapbench")
    let count = try await InstructionCounter(workbench: workbench).count(
      heapbench, [subcommand, memory.rawValue], within: "$s12HeapBenchKit??frameMeasured*")
    return count / Double(pairCount)
  }
}
