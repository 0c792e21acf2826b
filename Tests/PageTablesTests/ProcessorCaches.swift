import Addresses
import PageTables

// Processors at their worst: whatever a walk could have found is in some processor's TLB or paging-structure cache, and
// stays there until it is invalidated. The model looks at the tables whenever an operation flushes, and after each one.
// It reports three kinds of offence:
//
// - Break before make: an entry is present that translates differently from one that is still cached.
// - A frame is freed, or a table, while a cached entry refers to it. A direct map refers to every frame for good,
//   so the tests that use these caches have none.
// - A mark is lost: see `ProcessorCaches+Marks.swift`.

/// An object that must know of every frame that is freed.
protocol FrameWatcher: AnyObject {
  func willFree(_ frame: Page<PhysAddr>)
}

/// The caches of all processors that use the tables below one root.
final class ProcessorCaches<Format: PageTableFormat>: FrameWatcher {
  /// Where an entry applies: the translated bits of its first address, and its level.
  struct Place: Hashable {
    var start: UInt64
    var level: Int

    var end: UInt64 { start + ProcessorCaches.slotByteCount(level) }

    func overlaps(_ range: Range<UInt64>) -> Bool { start < range.upperBound && end > range.lowerBound }
  }

  /// A cached leaf and the physical address of its entry.
  struct Leaf {
    var bits: UInt64
    var location: UInt64
    var physical: UInt64
  }

  let memory: UnsafeMutableRawPointer
  let root: PhysAddr
  let rules = ProcessorRules(Format.self)
  var leaves: [Place: Leaf] = [:]
  var tables: [Place: UInt64] = [:]
  /// The pages that a processor has written to, by the translated bits of their addresses, with their frames.
  var written: [UInt64: UInt64] = [:]
  /// The offences, in the order in which they were found.
  private(set) var findings: [String] = []

  /// The caches of processors that use `root`, over the memory of `frames`.
  convenience init(root: PhysAddr, _ frames: borrowing TestFrames) {
    self.init(root: root, memory: frames.memory - Int(TestFrames.base))
  }

  /// The caches of processors that use `root`; the byte at physical address 0 would be at `memory`.
  init(root: PhysAddr, memory: UnsafeMutableRawPointer) {
    self.memory = memory
    self.root = root
    observe()
  }

  /// How many bytes an entry of a level covers: a table has as many bytes as the smallest page, and eight per entry.
  static func slotByteCount(_ level: Int) -> UInt64 {
    let granule = Format.granule.byteCount
    return (0..<level).reduce(granule) { size, _ in size * (granule / 8) }
  }

  func report(_ finding: String) { findings.append(finding) }

  /// A word of physical memory, as a walker reads it.
  func word(_ location: UInt64) -> UInt64 { memory.load(fromByteOffset: Int(location), as: UInt64.self) }

  /// Walks the tables, compares what is present with what is cached, and caches it.
  func observe() { walk(root.raw, level: Format.levelCount - 1, start: 0) }

  private func walk(_ table: UInt64, level: Int, start: UInt64) {
    let entries = (memory + Int(table)).assumingMemoryBound(to: UInt64.self)
    for index in 0..<Int(Format.granule.byteCount / 8) where entries[index] != 0 {
      let entry = PageTableEntry(entries[index])
      let place = Place(start: start + UInt64(index) * Self.slotByteCount(level), level: level)
      switch Format.kind(of: entry, level: level) {
      case .empty, .malformed: break
      case .table:
        let below = Format.address(in: entry).raw
        if tables[place] != below { see(table: below, at: place) }
        if below != root.raw { walk(below, level: level - 1, start: place.start) }
      case .leaf:
        let alone = Format.alone(entry, at: index, level: level)
        let physical = Format.address(in: alone).raw & ~(Self.slotByteCount(level) - 1)
        see(Leaf(bits: entry.bits, location: table + UInt64(index) * 8, physical: physical), at: place)
      }
    }
  }

  private func see(table: UInt64, at place: Place) {
    if let cached = tables[place], cached != table {
      report("\(name(place)): a table in another's place, without a flush in between")
    }
    if rules.forbidsTwoSizes, leaves[place] != nil {
      report("\(name(place)): a table in a large page's place, without a flush in between")
    }
    tables[place] = table
  }

  private func see(_ leaf: Leaf, at place: Place) {
    if let cached = leaves[place] {
      let different = (cached.bits ^ leaf.bits) & rules.fixedBits(place.level)
      let cleared = cached.bits & ~leaf.bits & rules.keptBits
      if cached.physical != leaf.physical || different | cleared != 0 {
        report(
          "\(name(place)): 0x\(String(leaf.bits, radix: 16)) over 0x\(String(cached.bits, radix: 16)), "
            + "without a flush in between")
      }
    } else {
      for (other, cached) in leavesOfOtherSizes(than: place) {
        let isAlike = cached.physical &- other.start == leaf.physical &- place.start
        if rules.forbidsTwoSizes || !isAlike {
          report("\(name(place)): over \(name(other)), without a flush in between")
        }
      }
      if rules.forbidsTwoSizes, tables[place] != nil {
        report("\(name(place)): a large page in a table's place, without a flush in between")
      }
    }
    leaves[place] = leaf
  }

  private func leavesOfOtherSizes(than place: Place) -> [(Place, Leaf)] {
    var found: [(Place, Leaf)] = []
    for level in place.level + 1..<max(place.level + 1, 3) {
      let above = Place(start: place.start & ~(Self.slotByteCount(level) - 1), level: level)
      if let leaf = leaves[above] { found.append((above, leaf)) }
    }
    if place.level > 0 {
      for (other, leaf) in leaves where other.level < place.level && other.overlaps(place.start..<place.end) {
        found.append((other, leaf))
      }
    }
    return found
  }

  private func name(_ place: Place) -> String { "level \(place.level) entry at 0x\(String(place.start, radix: 16))" }

  /// Forgets what is cached for a range of translated bits, and the table entries on the way.
  func invalidate(_ range: Range<UInt64>) {
    leaves = leaves.filter { !$0.key.overlaps(range) }
    tables = tables.filter { !$0.key.overlaps(range) }
  }

  func invalidateAll() {
    leaves = [:]
    tables = [:]
  }

  func willFree(_ frame: Page<PhysAddr>) {
    let freed = frame.start.raw..<frame.end.raw
    if let (place, _) = tables.first(where: { freed.contains($0.value) }) {
      report("\(name(place)): its table at 0x\(String(frame.start.raw, radix: 16)) was freed without a flush")
    }
    for (place, leaf) in leaves where leaf.physical < freed.upperBound {
      if leaf.physical + (place.end - place.start) > freed.lowerBound {
        report("\(name(place)): its frame at 0x\(String(frame.start.raw, radix: 16)) was freed without a flush")
      }
    }
  }
}

/// A TLB that invalidates modelled caches, after processors have used them once more.
struct ModelTLB<Format: PageTableFormat>: TLBInvalidator {
  let caches: ProcessorCaches<Format>
  /// Whether flushes are ignored: an offence on purpose, with which the model itself is tested.
  var isDeaf = false
  /// How many flushes there were.
  private(set) var callCount = 0

  init(_ caches: ProcessorCaches<Format>) { self.caches = caches }

  mutating func invalidate(_ start: VirtAddr, pageCount: UInt64) {
    callCount += 1
    let first = UInt64(start.raw) & (1 << UInt64(Format.translatedBitCount) - 1)
    let range = first..<first + pageCount * 4096
    caches.observe()
    caches.write(in: range)
    if !isDeaf { caches.invalidate(range) }
  }

  mutating func invalidateAll() {
    callCount += 1
    caches.observe()
    caches.write(in: 0..<1 << UInt64(Format.translatedBitCount))
    if !isDeaf { caches.invalidateAll() }
  }
}
