import Addresses
import Glibc
import LabTestSupport
import PageTables
import Testing

/// Files and shared memory behind regions.
@Suite struct AddressSpaceObjectsTests {
  typealias Process = TestProcess<X86FourLevel>
  static let start = VirtAddr(0x10_0000)

  @Test func privatePagesAreCopiedWhenWritten() throws {
    var frames = TestFrames()
    var source = TestObjects(frames.mapper)
    var process = try Process(&frames)
    let pages = ObjectRange(TestObjects.file, offset: 8192, byteCount: 4 * 4096)
    try process.space.addRegion(showing: pages, .userData, at: Self.start, isShared: false, &frames, &source)
    let read = try process.access(Self.start, .read, &frames, &source)
    #expect(frames.word(read) == TestObjects.word(at: 8192))
    // A write after a read copies the page; a write at first gets its copy at once.
    let written = try process.access(Self.start, .write, &frames, &source)
    #expect(written != read && frames.word(written) == TestObjects.word(at: 8192))
    frames.write(1, at: written)
    let first = try process.access(Self.start + 4096, .write, &frames, &source)
    #expect(frames.word(first) == TestObjects.word(at: 12288))
    frames.write(2, at: first)
    #expect(process.space.statistics.faultCount == 3 && process.space.statistics.objectFillCount == 2)
    #expect(frames.word(read) == TestObjects.word(at: 8192))
    // Given back, the pages show the file again.
    try process.space.discard(
      AddrRange(start: Self.start, byteCount: 8192), &frames, &process.tlb, &source)
    let again = try process.access(Self.start, .read, &frames, &source)
    #expect(again == read)
    // What the source drops stays with the process, which then writes in place.
    source.evict(8192, &frames)
    let inPlace = try process.access(Self.start, .write, &frames, &source)
    #expect(inPlace == read && process.space.statistics.madeWritableCount == 1)
    process.exit(&frames, &source)
    let taken = source.takenPages
    #expect(taken == [])
    source.end(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func sharedPagesAreOneAndComeBack() throws {
    var frames = TestFrames()
    var source = TestObjects(frames.mapper)
    var process = try Process(&frames)
    var other = try Process(&frames)
    let pages = ObjectRange(TestObjects.shared, offset: 0, byteCount: 8 * 4096)
    try process.space.addRegion(showing: pages, .userData, at: Self.start, isShared: true, &frames, &source)
    try other.space.addRegion(showing: pages, .userReadOnly, at: Self.start + 4096, isShared: true, &frames, &source)
    frames.write(7, at: try process.access(Self.start, .write, &frames, &source))
    #expect(frames.word(try other.access(Self.start + 4096, .read, &frames, &source)) == 7)
    _ = try process.access(Self.start + 4096, .read, &frames, &source)
    _ = try process.access(Self.start + 8192, .read, &frames, &source)
    _ = try process.access(Self.start + 8192, .write, &frames, &source)
    // A page that lost its permission to be written still counts as written.
    let first = AddrRange(start: Self.start, byteCount: 4096)
    try process.space.protect(first, .userReadOnly, &frames, &process.tlb)
    // A child shares them without a copy, and without a fault in the parent.
    var child = Process(try process.space.fork(&frames, &process.tlb, &source))
    frames.write(9, at: try child.access(Self.start + 8192, .write, &frames, &source))
    #expect(frames.word(try process.access(Self.start + 8192, .read, &frames, &source)) == 9)
    child.exit(&frames, &source)
    other.exit(&frames, &source)
    let (writtenByOthers, takenFromOthers) = (source.writtenPages, source.takenPages)
    #expect(writtenByOthers == [8192] && takenFromOthers == [8192, 0])
    try process.space.unmap(Process.heap, &frames, &process.tlb, &source)
    let (written, open) = (source.writtenPages, source.openByteCount)
    #expect(written == [0, 8192] && open == 0)
    let taken = source.takenPages
    #expect(taken == [8192, 0, 0, 4096, 8192])
    process.exit(&frames, &source)
    source.end(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func manyPagesComeBackInOrderAndSparseOnesQuickly() throws {
    var frames = TestFrames(byteCount: 16 << 20)
    var source = TestObjects(frames.mapper, pageCount: 1 << 30)
    var process = try Process(&frames)
    // 64 GiB, of which 200 pages are touched.
    let pages = ObjectRange(TestObjects.shared, offset: 0, byteCount: 64 << 30)
    try process.space.addRegion(showing: pages, .userData, at: Self.start, isShared: true, &frames, &source)
    let offsets = (0..<UInt(200)).map { $0 < 150 ? $0 * 4096 : $0 << 28 }
    for offset in offsets { _ = try process.access(Self.start + offset, .write, &frames, &source) }
    try process.space.unmap(Process.heap, &frames, &process.tlb, &source)
    let taken = source.takenPages
    #expect(taken == offsets.map { UInt64($0) })
    process.exit(&frames, &source)
    source.end(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func whatTheSourceRefusesTheFaultRefuses() throws {
    var frames = TestFrames()
    var source = TestObjects(frames.mapper, pageCount: 1)
    var process = try Process(&frames)
    let pages = ObjectRange(TestObjects.file, offset: 0, byteCount: 8192)
    try process.space.addRegion(showing: pages, .userReadOnly, at: Self.start, isShared: false, &frames, &source)
    source.isReading = true
    #expect(throws: FaultRefusal.notYet(Self.start)) { try process.access(Self.start, .read, &frames, &source) }
    source.isReading = false
    // The frame of the page, those of three tables: each may be missing, and then nothing is left behind.
    let before = frames.usedCount
    for allowed in 0..<4 {
      frames.allocationsLeft = allowed
      #expect(throws: FaultRefusal.outOfFrames(Page(start: Self.start))) {
        try process.access(Self.start, .read, &frames, &source)
      }
      frames.allocationsLeft = nil
      source.evict(0, &frames)
      #expect(frames.usedCount == before)
    }
    _ = try process.access(Self.start, .read, &frames, &source)
    #expect(throws: FaultRefusal.noPage(Self.start + 4096)) {
      try process.access(Self.start + 4096, .read, &frames, &source)
    }
    #expect("\(FaultRefusal.noPage(Self.start))".hasPrefix("0x100000: "))
    #expect("\(FaultRefusal.notYet(Self.start))".hasPrefix("0x100000: "))
    process.exit(&frames, &source)
    source.end(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func regionsOfOneObjectMergeWhereTheirBytesContinue() throws {
    var frames = TestFrames()
    var source = TestObjects(frames.mapper)
    var process = try Process(&frames)
    try add(0, at: 0, to: &process, &frames, &source)
    try add(8192, at: 2, to: &process, &frames, &source)
    #expect(process.space.regionCount == 1)
    try add(8192, at: 4, to: &process, &frames, &source)
    #expect(process.space.regionCount == 2)
    try add(16384, at: 6, isShared: true, to: &process, &frames, &source)
    #expect(process.space.regionCount == 3)
    let middle = AddrRange(start: Self.start + 4096, byteCount: 4096)
    try process.space.unmap(middle, &frames, &process.tlb, &source)
    #expect(process.space.allRegions.map(\.objectOffset) == [0, 8192, 8192, 16384])
    process.exit(&frames, &source)
    let open = source.openByteCount
    #expect(open == 0)
    source.end(&frames)
  }

  /// Adds two pages of the file.
  private func add(
    _ offset: UInt64, at page: UInt, isShared: Bool = false, to process: inout Process, _ frames: inout TestFrames,
    _ source: inout TestObjects
  ) throws {
    try process.space.addRegion(
      showing: ObjectRange(TestObjects.file, offset: offset, byteCount: 8192), .userData,
      at: Self.start + page * 4096, isShared: isShared, &frames, &source)
  }

  @Test func badRangesOfObjectsAreRefused() throws {
    var frames = TestFrames()
    var source = TestObjects(frames.mapper)
    var process = try Process(&frames)
    for bad in [(1, 4096), (0, 0), (0, 100), (UInt64.max - 4095, 8192), (0, UInt64.max - 4095)] as [(UInt64, UInt64)] {
      #expect(throws: AddressSpaceError.self) {
        try process.space.addRegion(
          showing: ObjectRange(TestObjects.file, offset: bad.0, byteCount: bad.1), .userData, at: Self.start,
          isShared: false, &frames, &source)
      }
    }
    let open = source.openByteCount
    #expect(open == 0 && process.space.regionCount == 0)
    process.exit(&frames)
    source.end(&frames)
  }

  @Test func aSpaceWithObjectsNeedsItsSource() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var frames = TestFrames()
      var source = TestObjects(frames.mapper)
      var process = try Process(&frames)
      try process.space.addRegion(
        showing: ObjectRange(TestObjects.file, offset: 0), .userData, at: Self.start, isShared: false, &frames, &source)
      _ = try process.space.handleFault(Self.start, .read, &frames, &process.tlb)
    }
    let line = "heaplab: an address space that shows a memory object must be given its source, object: 0x1\n"
    #expect(text(of: result) == line)
  }
}
