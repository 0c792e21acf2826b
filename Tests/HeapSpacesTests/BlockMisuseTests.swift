import Addresses
import HeapBlocks
import LabTestSupport
import Testing

@testable import HeapSpaces

/// What no block in use is. Each must kill its own process with a line that names it.
@Suite("Misuse of blocks")
struct BlockMisuseTests {
  /// A misuse of a span of 42 blocks of 1,536 bytes, none of which is free, or of an arena.
  enum Misuse: String, CaseIterable, Codable {
    case granuleOfNobody, spanOfNobody, interior, unaligned, pastTheLast, absent, doubleFree
    case insideArena, unalignedInArena, doubleFreeInArena

    /// Where in its granule the pointer points.
    var offset: UInt {
      switch self {
      case .granuleOfNobody, .spanOfNobody, .doubleFree: 1536
      case .interior: 1552
      case .unaligned: 1537
      case .pastTheLast: 65536 - 16
      case .absent: 1536 * 3
      // First fit's record and the block's header come before the first block of an arena.
      case .insideArena: 64
      case .unalignedInArena: 49
      case .doubleFreeInArena: 48
      }
    }

    var message: String {
      switch self {
      case .granuleOfNobody: "free of a pointer that heaplab did not give out"
      case .spanOfNobody, .interior, .unaligned, .pastTheLast: "free of a pointer into the middle of a block"
      case .absent, .insideArena, .unalignedInArena:
        "free of a pointer that heaplab did not give out, or gave out once"
      case .doubleFree, .doubleFreeInArena: "double free"
      }
    }
  }

  /// The first granule behind the tables of a space of 4 MiB.
  private static let granuleStart = FixedMemory.start + Granule.byteCount
  /// The first run of granules that an arena there gets: 1 MiB.
  private static let arenaStart = FixedMemory.start + (1 << 20)

  /// The address that a misuse frees.
  private static func address(_ misuse: Misuse) -> VirtAddr {
    switch misuse {
    case .insideArena, .unalignedInArena, .doubleFreeInArena: arenaStart + misuse.offset
    default: granuleStart + misuse.offset
    }
  }

  private static func makeSpace() throws -> HeapSpace {
    let range = FixedMemory.map(byteCount: 4 << 20)
    return try #require(HeapSpace.create(base: range.start.raw, byteCount: range.byteCount))
  }

  /// A span whose third page went to the system and whose blocks are in use.
  private static func makeSpan() throws -> BlockSpan {
    let span = try #require(makeSpace().allocateGranule()).span
    span.begin(SizeClass(fitting: 1536))
    span.use = .fullSpan
    span.owner = 1
    span.setAbsentPages(1 << 1)
    return span
  }

  private static func commit(_ misuse: Misuse) throws {
    let address = address(misuse).raw
    let block = FreeBlock(address)
    switch misuse {
    case .insideArena, .unalignedInArena, .doubleFreeInArena:
      let space = try makeSpace()
      let block = FreeBlock(space.allocateInArena(byteCount: 40 << 10, alignment: 16))
      if misuse == .doubleFreeInArena { block.markWord = FreeBlock.mark }
      let part = space.granuleUnchecked(around: address).arenaPart
      part.checkBlock(at: address) { $0 == block }
    default:
      let span = try makeSpan()
      if misuse == .granuleOfNobody { span.use = .reserved }
      if misuse == .spanOfNobody { span.owner = 0 }
      if misuse == .doubleFree { block.markWord = FreeBlock.mark }
      _ = span.checkedBlock(address) { $0 == block }
    }
  }

  @Test("ends the process with one line", arguments: Misuse.allCases)
  func ends(misuse: Misuse) async {
    let result = await #expect(processExitsWith: .signal(6), observing: [\.standardErrorContent]) { [misuse] in
      try Self.commit(misuse)
    }
    #expect(text(of: result) == "heaplab: \(misuse.message): \(Self.address(misuse))\n")
  }

  @Test("A block in use passes, also one that only looks free because the program copied a mark")
  func inUse() throws {
    let memory = try #require(MemorySpace(byteCount: 1 << 20))
    let granule = try #require(memory.space.allocateGranule())
    let span = granule.span
    span.begin(SizeClass(fitting: 1536))
    span.use = .fullSpan
    span.owner = 1
    span.setAbsentPages(1 << 1)
    let block = FreeBlock(memory.space.start(of: granule) + 1536 * 10)
    block.markWord = 0
    #expect(span.checkedBlock(block.address) { _ in true } == block, "nobody looks for a block without a mark")
    block.markWord = FreeBlock.mark
    #expect(span.checkedBlock(block.address) { _ in false } == block)
    let large = FreeBlock(memory.space.allocateInArena(byteCount: 40 << 10, alignment: 16))
    let part = memory.space.granuleUnchecked(around: large.address).arenaPart
    large.markWord = FreeBlock.mark
    part.checkBlock(at: large.address) { _ in false }
  }
}
