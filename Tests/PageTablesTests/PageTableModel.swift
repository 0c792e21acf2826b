import Addresses
import PageTables

/// Page tables beside a dictionary of their expected content: runs operations on both and compares.
///
/// Operations come from bytes, so the same model serves seeded tests and the fuzzer.
struct PageTableModel<Format: PageTableFormat>: ~Copyable {
  struct Leaf: Equatable {
    var size: PageSize
    var frame: UInt64
    var attributes: PageAttributes
  }

  /// The tables and the dictionary disagree.
  struct Mismatch: Error, CustomStringConvertible {
    let description: String
  }

  var frames: TestFrames
  var table: PageTable<Format, OffsetPhysMapper>
  /// The processors that use the tables meanwhile.
  let caches: ProcessorCaches<Format>
  var tlb: ModelTLB<Format>
  /// The mappings, keyed by the translated bits of each page's first address.
  var leaves: [UInt64: Leaf] = [:]
  /// The seeded bug with which the harness itself is tested.
  var seedsBug = false

  init() throws {
    frames = TestFrames(byteCount: Int(Format.granule.byteCount) << 10)
    table = try PageTable(mapper: frames.mapper, &frames)
    caches = ProcessorCaches(root: table.root, frames)
    tlb = ModelTLB(caches)
    frames.watchers = [caches]
  }

  static var spaceByteCount: UInt64 { 1 << UInt64(Format.translatedBitCount) }

  static func page(_ at: UInt64, _ size: PageSize = Format.granule) -> Page<VirtAddr> {
    Page(containing: Format.address(at), size: size)
  }

  /// The leaves that overlap a range of translated bits.
  func leaves(in range: Range<UInt64>) -> [(key: UInt64, value: Leaf)] {
    leaves.filter { $0.key < range.upperBound && $0.key + $0.value.size.byteCount > range.lowerBound }
  }

  /// Splits the leaf that contains a boundary, as partial changes do.
  mutating func splitLeaf(at boundary: UInt64, unless: (Leaf) -> Bool = { _ in false }) {
    while let (start, leaf) = leaves(in: boundary..<boundary + 1).first, start != boundary, !unless(leaf) {
      split(start, leaf)
    }
  }

  mutating func split(_ start: UInt64, _ leaf: Leaf) {
    guard let smaller = leaf.size.smaller else { return }
    for part in 0..<UInt64(Format.entryCount) {
      let offset = part * smaller.byteCount
      leaves[start + offset] = Leaf(size: smaller, frame: leaf.frame + offset, attributes: leaf.attributes)
    }
  }

  /// Throws unless the tables hold exactly the dictionary's content.
  func compare(after operation: String) throws {
    var found: [UInt64: Leaf] = [:]
    table.forEachMapping { page, translation in
      found[UInt64(page.start.raw) & (Self.spaceByteCount - 1)] = Leaf(
        size: translation.size, frame: translation.physical.raw,
        attributes: PageAttributes(
          translation.permissions, translation.memoryType ?? .normal, isGlobal: translation.isGlobal))
    }
    if found == leaves { return }
    let different = Set(found.keys).union(leaves.keys).filter { found[$0] != leaves[$0] }.min() ?? 0
    throw Mismatch(
      description: """
        after \(operation): at 0x\(String(different, radix: 16)) the tables hold \
        \(String(describing: found[different])), expected \(String(describing: leaves[different]))
        """)
  }

  /// Throws unless `condition` holds.
  func check(_ condition: Bool, _ message: @autoclosure () -> String) throws {
    if !condition { throw Mismatch(description: message()) }
  }

  /// Destroys the tables; throws when a frame was lost.
  consuming func finish() throws {
    var frames = frames
    frames.watchers = []
    table.deallocateWithKernelHalf(&frames)
    if frames.usedCount != 0 { throw Mismatch(description: "\(frames.usedCount) frames lost") }
  }
}

/// The source of operations: bytes, then zeros once they are used up.
struct OperationBytes {
  var bytes: ArraySlice<UInt8>

  var isEmpty: Bool { bytes.isEmpty }

  mutating func next() -> Int { Int(bytes.popFirst() ?? 0) }
}
