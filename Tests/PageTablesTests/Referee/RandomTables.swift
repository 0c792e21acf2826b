import Addresses
import LabTestSupport
import PageTables

// A seeded random address space and its expected meaning.
//
// Mappings cluster around a few anchors: they share tables, touch one another, and reach the ends of the address space.
// The history of all successful operations is the third opinion besides `translate` and the judges: the last operation
// that covers an address decides its translation. It knows nothing of tables.

/// Page tables of one format after a random sequence of operations.
struct RandomTables<Format: PageTableFormat>: ~Copyable {
  /// One successful operation, from `start` to `last` inclusive: the last page of the address space ends at no address.
  private struct Change {
    enum Effect {
      case map(PhysAddr, MemPerm)
      case unmap
      case protect(MemPerm)
    }
    var start: UInt64
    var last: UInt64
    var effect: Effect
  }

  var table: PageTable<Format, OffsetPhysMapper>
  var frames: TableFrames
  /// No judge uses the tables while they change.
  var tlb = NoTLB()
  var random: SeededGenerator
  let plan: FramePlan
  private let reservedRootEntry: Int?
  private let anchors: [UInt64]
  private var history: [Change] = []

  /// An empty address space with its tables in `memory`, which maps nothing through the root's reserved entry.
  init(
    seed: UInt64, plan: FramePlan, memory: PhysicalMemory, reservedRootEntry: Int?,
    largestPage: PageSize = Format.largestPage
  ) throws {
    random = SeededGenerator(seed: seed)
    self.plan = plan
    self.reservedRootEntry = reservedRootEntry
    frames = TableFrames(plan.tables, of: memory, tableSize: Format.granule)
    let mapper = OffsetPhysMapper(memory.range, at: VirtAddr(memory.base))
    table = try PageTable(mapper: mapper, largestPage: largestPage, &frames)
    anchors = RandomTables.randomAnchors(using: &random)
  }

  /// Destroys the tables; returns how many tables the allocator still misses, which must be none.
  consuming func end() -> Int {
    var frames = frames
    table.deallocateWithKernelHalf(&frames)
    return frames.used.count
  }

  // MARK: Addresses

  private static var width: UInt64 { UInt64(Format.translatedBitCount) }

  private static func randomAnchors(using random: inout SeededGenerator) -> [UInt64] {
    let half = UInt64(1) << (width - 1)
    let page = Format.granule.byteCount
    let candidates: [UInt64] = [
      0, half - page, half, 0 &- half, 0 &- page, 1 << 30, 1 << 39, (1 << 39) &- page, 0 &- (1 << 30),
      random.next() & (half - 1) & ~0xFFF, random.next() & (half - 1) & ~0x3FFF_FFFF, random.next() | (0 &- half),
      random.next() & (2 * half - 1),
    ]
    let covered = candidates.filter { Format.covers(VirtAddr(UInt($0))) }
    return (0..<Int.random(in: 1...4, using: &random)).compactMap { _ in covered.randomElement(using: &random) }
  }

  /// A page near an anchor, or nil where there is none or it must not be used.
  mutating func randomPage(of size: PageSize) -> Page<VirtAddr>? {
    guard let anchor = anchors.randomElement(using: &random) else { return nil }
    let distance = UInt64(bitPattern: Int64.random(in: -3...3, using: &random)) &* size.byteCount
    let start = (anchor &+ distance) & ~(size.byteCount - 1)
    return isUsable(start) ? Page(start: VirtAddr(UInt(start)), size: size) : nil
  }

  /// Whether these tables translate an address, and not through the reserved entry.
  func isUsable(_ address: UInt64) -> Bool {
    let address = VirtAddr(UInt(address))
    return Format.covers(address) && Int(Format.rootIndex(of: address)) != reservedRootEntry
  }

  mutating func randomPermissions() -> MemPerm {
    let user: MemPerm = Bool.random(using: &random) ? .user : []
    return MemPerm(rawValue: UInt8.random(in: 1...7, using: &random)) | user
  }

  /// The permissions with a memory type that the format has, for one address space or all.
  mutating func randomAttributes(_ permissions: MemPerm) -> PageAttributes {
    let type = MemoryType(rawValue: UInt8.random(in: 0...3, using: &random)) ?? .normal
    return PageAttributes(
      permissions, Format.supports(type) ? type : .normal, isGlobal: Bool.random(using: &random))
  }

  // MARK: The history

  mutating func record(map start: VirtAddr, byteCount: UInt64, to frame: PhysAddr, _ permissions: MemPerm) {
    append(start, byteCount, .map(frame, permissions))
  }
  mutating func record(unmap start: VirtAddr, byteCount: UInt64) { append(start, byteCount, .unmap) }
  mutating func record(protect start: VirtAddr, byteCount: UInt64, _ permissions: MemPerm) {
    append(start, byteCount, .protect(permissions))
  }

  private mutating func append(_ start: VirtAddr, _ byteCount: UInt64, _ effect: Change.Effect) {
    guard byteCount > 0 else { return }
    history.append(Change(start: UInt64(start.raw), last: UInt64(start.raw) &+ (byteCount - 1), effect: effect))
  }

  /// The translation and permissions of an address according to the history; nil when it maps nothing there.
  func expectation(at address: UInt64) -> (physical: UInt64, permissions: MemPerm)? {
    var state: (physical: UInt64, permissions: MemPerm)?
    for change in history where change.start <= address && address <= change.last {
      switch change.effect {
      case .map(let frame, let permissions):
        state = (frame.raw + (address - change.start), Format.granted(permissions))
      case .unmap: state = nil
      case .protect(let permissions): state?.permissions = Format.granted(permissions)
      }
    }
    return state
  }

  /// Addresses worth a probe, multiples of 8: the edges of every change, the words beside them, some inside and some
  /// anywhere.
  mutating func sampleAddresses(count: Int) -> [UInt64] {
    var addresses: Set<UInt64> = []
    for change in history {
      let inside = UInt64.random(in: change.start...change.last, using: &random) & ~7
      addresses.formUnion([change.start, change.last & ~7, change.start &- 8, change.last &+ 1, inside])
    }
    for anchor in anchors {
      let distance = random.next() & 0x7FFF_FFF8
      addresses.formUnion([anchor &+ distance, anchor &- distance].map { $0 & ~7 })
    }
    // Sorted before the shuffle: the seed alone decides the order.
    let usable = addresses.filter { address in
      isUsable(address) || !Format.covers(VirtAddr(UInt(address)))
    }
    return Array(usable.sorted().shuffled(using: &random).prefix(count))
  }
}
