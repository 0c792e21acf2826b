import HeapBlocks
import HeapSpaces
import LabTestSupport
import Testing

@testable import ThreadHeaps

@Suite("Carving")
struct CarvingTests {
  private static let classes = (1..<SizeClass.count).map { SizeClass(index: $0) }

  @Test("A new span gives each of its blocks once, lowest first, and then another one is begun")
  func wholeSpan() throws {
    let heaps = try TestHeaps()
    for sizeClass in Self.classes {
      let heap = try heaps.make()
      let size = sizeClass.blockByteCount
      // Before a class of more than a page gets a span, it gets blocks of an arena.
      var first = try heap.allocate(size)
      while !heaps.span(of: first).use.isSpan { first = try heap.allocate(size) }
      let span = heaps.span(of: first)
      let start = heaps.space.start(of: span.granule)
      let blocks = try [first] + heap.allocate(size, count: Int(span.capacity) - 1)
      #expect(blocks == (0..<span.capacity).map { start + $0 * size }, "\(size) bytes")
      let next = try heap.allocate(size)
      #expect(heaps.span(of: next) != span, "\(size) bytes: the span has no more")
      #expect(span.absentPages == 0, "\(size) bytes: also of pages that no block overlaps")
      #expect(span.carvedCount == UInt16(span.capacity) && span.use == .fullSpan)
      #expect(heaps.hasTrueAccount(heap))
    }
  }

  @Test("There are classes whose last pages hold no block")
  func emptyPages() {
    let rests = Self.classes.map { 65536 % $0.blockByteCount }
    #expect(rests.contains { $0 >= 4096 } && rests.contains { $0 >= 16384 })
  }

  @Test("Blocks come a page at a time")
  func stepwise() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    let block = try heap.allocate(64)
    let span = heaps.span(of: block)
    #expect(span.absentPages == 0xFFFE && span.carvedCount == 64 && span.presentByteCount == 4096)
    #expect(span.granule.fields.residentPages & 1 == 1)
    _ = try heap.allocate(64, count: 63)
    #expect(span.absentPages == 0xFFFE)
    _ = try heap.allocate(64)
    #expect(span.absentPages == 0xFFFC && span.carvedCount == 128)
  }

  @Test("A class with a magazine takes at once what has memory of the granule's last use, and no more")
  func pagesWithMemory() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    for sizeClass in Self.classes {
      let span = try #require(heaps.space.allocateGranule()).span
      span.begin(sizeClass)
      span.granule.fields.residentPages = 0x0CFF
      #expect(heap.carve(span, sizeClass))
      let size = sizeClass.blockByteCount
      let count = heap.activeBlocks(sizeClass).count
      heap.setActive(sizeClass, 0)
      if sizeClass.hasMagazine {
        #expect(span.absentPages == 0xFF00 && count == 32768 / Int(size), "\(size) bytes")
      } else {
        #expect(span.absentPages == 0xFFFE && count == 4096 / Int(size), "\(size) bytes")
      }
    }
  }

  /// The pages that were given back, one bit each: the first, the last, runs, every other one, and all.
  private static let patterns: [UInt16] = [1, 0x8000, 0x0FF0, 0x5555, 0xAAAA, 0xF00F, 0x6, .max]

  @Test(
    "Pages that were given back give their blocks again, and none that overlaps one still absent", arguments: patterns)
  func absentPages(pattern: UInt16) throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    for sizeClass in Self.classes {
      let span = try #require(heaps.space.allocateGranule()).span
      span.begin(sizeClass)
      let start = heaps.space.start(of: span.granule)
      let all = (0..<span.capacity).map { start + $0 * sizeClass.blockByteCount }
      let absent = all.filter { span.pages(ofBlockAt: $0) & pattern != 0 }
      span.setAbsentPages(pattern)
      span.carvedCount = UInt16(all.count - absent.count)
      var carved: [UInt] = []
      while heap.carve(span, sizeClass) {
        let blocks = heap.activeBlocks(sizeClass)
        #expect(blocks.allSatisfy { FreeBlock($0).looksFree && span.isPresent($0) })
        #expect(!blocks.isEmpty)
        carved += blocks
        heap.setActive(sizeClass, 0)
        #expect(span.carvedCount == UInt16(all.count - absent.count + carved.count))
      }
      #expect(carved == absent, "\(sizeClass.blockByteCount) bytes")
      #expect(span.absentPages == 0)
      // The hot path takes frees of the span again.
      let block = FreeBlock(all[0])
      block.markWord = 0
      #expect(span.isInUse(block))
    }
  }

  @Test("Carving puts blocks in front of those that the list has already")
  func inFront() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    let sizeClass = SizeClass(fitting: 512)
    let first = try heap.allocate(512)
    let before = heap.activeBlocks(sizeClass)
    #expect(heap.carve(heaps.span(of: first), sizeClass))
    #expect(heap.activeBlocks(sizeClass) == (8..<16).map { first + $0 * 512 } + before)
  }
}
