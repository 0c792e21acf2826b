import HeapBlocks
import LabTestSupport
import Testing

@testable import HeapSpaces

@Suite("Spans of blocks")
struct BlockSpanTests {
  /// A span of which every block was handed out.
  private static func makeSpan(_ byteCount: UInt, in space: HeapSpace) throws -> (span: BlockSpan, start: UInt) {
    let granule = try #require(space.allocateGranule())
    let span = granule.span
    span.begin(SizeClass(fitting: byteCount))
    span.use = .currentSpan
    span.owner = 7
    span.setAbsentPages(0)
    span.carvedCount = UInt16(span.capacity)
    span.notify(after: Int(span.capacity) + 1, freeCount: 0)
    let start = space.start(of: granule)
    for number in 0..<span.capacity { FreeBlock(start + number * UInt(span.blockByteCount)).markWord = 0 }
    return (span, start)
  }

  @Test("A new span has no block yet, whatever its granule was before")
  func begin() throws {
    let memory = try #require(MemorySpace(byteCount: 1 << 20))
    let (span, start) = try Self.makeSpan(40, in: memory.space)
    _ = span.push(FreeBlock(start))
    span.fields.remote.store(1, ordering: .relaxed)
    span.fields.notedCount = 3
    span.fields.purgedFreeCount = 4
    for index in 0..<SizeClass.count {
      let sizeClass = SizeClass(index: index)
      span.begin(sizeClass)
      #expect(span.sizeClass == sizeClass && span.glimpsedSizeClass == sizeClass)
      #expect(UInt(span.blockByteCount) == sizeClass.blockByteCount)
      #expect(span.capacity == 65536 / sizeClass.blockByteCount)
      #expect(span.free == 0 && span.carvedCount == 0 && span.freeCount == 0)
      #expect(span.absentPages == .max && span.presentByteCount == 0)
      #expect(RemoteList(word: span.fields.remote.load(ordering: .relaxed)) == RemoteList(word: 0))
      #expect(span.fields.notedCount == 0 && span.fields.purgedFreeCount == 0)
    }
  }

  @Test("Multiples of the block size are block starts where a block fits", arguments: [1, 40, 288, 1100, 5000, 32768])
  func blockStarts(byteCount: UInt) throws {
    let memory = try #require(MemorySpace(byteCount: 1 << 20))
    let (span, start) = try Self.makeSpan(byteCount, in: memory.space)
    let size = UInt(span.blockByteCount)
    for offset in UInt(0)..<65536 {
      let isStart = offset % size == 0 && offset + size <= 65536
      let found = (span.isBlockStart(start + offset), span.glimpseIsBlockStart(start + offset))
      if found != (isStart, isStart) { Issue.record("\(size) bytes, offset \(offset)") }
    }
  }

  @Test("A block is in use as long as it has no mark, and only where one starts")
  func inUse() throws {
    let memory = try #require(MemorySpace(byteCount: 1 << 20))
    let (span, start) = try Self.makeSpan(1100, in: memory.space)
    let size = UInt(span.blockByteCount)
    for number in [0, 1, span.capacity - 1] {
      let block = FreeBlock(start + number * size)
      #expect(span.isInUse(block) && span.isInUseAfterPurge(block))
      for offset in [1, 8, 16, size / 2 & ~15, size - 16] {
        let inside = FreeBlock(block.address + offset)
        #expect(!span.isInUse(inside) && !span.isInUseAfterPurge(inside), "offset \(offset)")
      }
      block.markWord = FreeBlock.mark
      #expect(!span.isInUse(block) && !span.isInUseAfterPurge(block))
    }
  }

  @Test("After a purge the hot path refuses all above the first absent page, the other paths only what is absent")
  func inUseAfterPurge() throws {
    let memory = try #require(MemorySpace(byteCount: 1 << 20))
    let (span, start) = try Self.makeSpan(1100, in: memory.space)
    let size = UInt(span.blockByteCount)
    span.setAbsentPages(1 << 2 | 1 << 3)
    for number in 0..<span.capacity {
      let block = FreeBlock(start + number * size)
      // The pages at 8 KiB and 12 KiB, and blocks that reach into them.
      let isAbsent = number * size < 16 << 10 && (number + 1) * size > 8 << 10
      #expect(span.isPresent(block.address) == !isAbsent && span.isBlockStart(block.address))
      #expect(span.isInUse(block) == ((number + 1) * size <= 8 << 10))
      #expect(span.isInUseAfterPurge(block) == !isAbsent, "block \(number)")
    }
    #expect(span.presentByteCount == 14 * 4096)
    span.setAbsentPages(0)
    #expect(span.isInUse(FreeBlock(start)))
  }

  @Test("Frees link the blocks, last one first, and the event comes with the one that was waited for")
  func push() throws {
    let memory = try #require(MemorySpace(byteCount: 1 << 20))
    let (span, start) = try Self.makeSpan(1024, in: memory.space)
    span.notify(after: 3, freeCount: 0)
    let blocks = (0..<4).map { FreeBlock(start + $0 * 1024) }
    #expect(blocks.map { span.push($0) } == [false, false, true, false])
    #expect(span.freeCount == 4 && span.pending == -1)
    #expect(blocks.allSatisfy { $0.looksFree && !span.isInUse($0) })
    var listed: [UInt] = []
    var next = span.free
    while next != 0 {
      listed.append(next)
      next = FreeBlock(next).next
    }
    #expect(listed == blocks.reversed().map(\.address))
    span.notify(after: 16, freeCount: 4)
    #expect(span.freeCount == 4 && span.pending == 12)
  }

  @Test("The descriptors lie a cache line apart, and what the hot path reads lies at the same place in both kinds")
  func layout() throws {
    #expect(MemoryLayout<SpanRecord>.stride == 64 && MemoryLayout<ArenaPartRecord>.stride <= 64)
    let memory = try #require(MemorySpace(byteCount: 1 << 20))
    let (span, _) = try Self.makeSpan(64, in: memory.space)
    span.hotOwner = 0x1234_5670
    span.granule.arenaPart.begin(epoch: 3, arena: 2)
    #expect(span.hotOwner == 0, "the hot path finds no owner in a granule of an arena")
    #expect(span.use == .arena && span.granule.arenaPart.fields.epoch == 3)
  }
}
