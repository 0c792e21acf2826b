import HeapBlocks
import LabTestSupport
import Testing

@testable import HeapSpaces

/// The samples of a space.
@Suite("Samples")
struct SampleTableTests {
  private let memory: ReservedSpace
  private var space: HeapSpace { memory.space }
  private let span: BlockSpan

  init() throws {
    memory = try #require(ReservedSpace(byteCount: 64 << 20))
    span = try #require(memory.space.allocateGranule()).span
    span.begin(SizeClass(fitting: 64))
    span.owner = 7
  }

  private var table: SampleTable { SampleTable(address: space.fields.samples.load(ordering: .relaxed)) }

  /// Adds a block's sample, whose stack is one byte.
  private func add(_ block: UInt) -> Bool {
    space.addSample(block, byteCount: 64, mean: 4096) { _, stack in
      // SAFETY: the table gives the place of a stack.
      unsafe UnsafeMutablePointer<UInt8>(bitPattern: stack)?.pointee = UInt8(truncatingIfNeeded: block >> 6)
    }
  }

  private func block(_ number: UInt) -> UInt { space.start(of: span.granule) + number * 64 }

  /// Writes to the space's memory, as a holder and a free do.
  private func mark(_ number: UInt, isFree: Bool) { FreeBlock(block(number)).markWord = isFree ? FreeBlock.mark : 0 }

  @Test("Nothing is sampled before it begins, under another mean, and after the end")
  func onAndOff() {
    #expect(!space.mayHaveSamples && !add(block(1)))
    #expect(space.beginSamples(mean: 0) && !space.mayHaveSamples, "no table for nothing")
    #expect(space.beginSamples(mean: 8192) && !add(block(1)))
    #expect(space.beginSamples(mean: 4096) && add(block(1)) && table.fields.takenCount == 1)
    #expect(space.beginSamples(mean: 0) && !add(block(2)) && table.fields.takenCount == 0, "all are forgotten")
  }

  @Test("A span's bit beside the owner's number tells of samples, and leaves the owner")
  func bit() {
    #expect(!span.hasSamples && span.owner == 7)
    span.hasSamples = true
    #expect(span.hasSamples && span.owner == 7 && span.ownerWord != 7)
    span.hasSamples = false
    #expect(span.ownerWord == 7)
  }

  @Test("Freed blocks' samples end; those of blocks in use stay")
  func ends() {
    _ = space.beginSamples(mean: 4096)
    for number in UInt(1)...6 {
      mark(number, isFree: number % 2 == 0)
      #expect(add(block(number)))
    }
    span.hasSamples = true
    space.endFreedSamples(of: span)
    #expect(table.fields.endedCount == 3 && span.hasSamples)
    space.endSample(block(1), of: span)
    #expect(table.fields.endedCount == 4 && span.hasSamples)
    space.endSample(block(2))
    #expect(table.fields.endedCount == 4, "it has ended already")
    space.endSamples(of: span)
    #expect(table.fields.endedCount == 6 && !span.hasSamples)
  }

  @Test("Ended samples stay readable for 256 more, and then their records serve again, oldest first")
  func reuse() {
    _ = space.beginSamples(mean: 4096)
    for round in UInt(0)..<2000 {
      #expect(add(block(round % 1000)))
      space.endSample(block(round % 1000))
    }
    #expect(table.fields.takenCount == 2000 && table.fields.endedCount == 2000)
    #expect(table.fields.end == 258, "numbers from 1; one more than are kept")
  }

  @Test("A full table drops samples, counts them, and takes again what ended")
  func full() {
    _ = space.beginSamples(mean: 4096)
    // Blocks of no span: the table asks nothing of them.
    let most = SampleTable.recordMaximum - 1
    for number in 0..<most { #expect(add(1 << 40 + number * 64)) }
    #expect(!add(block(1)) && table.fields.droppedCount == 1)
    space.endSample(1 << 40)
    #expect(add(block(1)) && !add(block(2)) && table.fields.droppedCount == 2)
  }
}
