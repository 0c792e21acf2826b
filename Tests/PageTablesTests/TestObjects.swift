import Addresses
import MemoryProtocols
import PageTables

/// A page cache with two objects: a file whose pages hold words of their own, and shared memory, at first zeros.
struct TestObjects: ~Copyable, PageSource {
  static let file = MemoryObject(rawValue: 1)
  static let shared = MemoryObject(rawValue: 2)

  let mapper: OffsetPhysMapper
  /// How many pages each object has.
  let pageCount: UInt64
  /// The frames of the pages that are in memory.
  private(set) var frames: [MemoryObject.RawValue: [UInt64: Page<PhysAddr>]] = [1: [:], 2: [:]]
  /// How many bytes are open.
  private(set) var openByteCount: UInt64 = 0
  /// Offsets of the shared object's pages that came back written.
  private(set) var writtenPages: Set<UInt64> = []
  /// Offsets of pages that came back, in the order of the calls.
  private(set) var takenPages: [UInt64] = []
  /// Whether every page is on its way.
  var isReading = false

  init(_ mapper: OffsetPhysMapper, pageCount: UInt64 = 64) {
    self.mapper = mapper
    self.pageCount = pageCount
  }

  /// The first word of a page of the file.
  static func word(at offset: UInt64) -> UInt64 { 0xF11E_0000_0000 + offset }

  mutating func open(_ range: ObjectRange) { openByteCount += range.byteCount }

  mutating func close(_ range: ObjectRange) { openByteCount -= range.byteCount }

  mutating func give(
    _ page: ObjectRange, for access: MemoryAccess, _ allocator: inout some CountedFrames & ~Copyable
  ) throws(PageRefusal) -> Page<PhysAddr> {
    guard page.offset / 4096 < pageCount else { throw .noPage }
    if isReading { throw .notYet }
    if let frame = frames[page.object.rawValue]?[page.offset] { return frame }
    guard let frame = allocator.allocate(.size4KiB) else { throw .outOfFrames }
    let memory = mapper.physToVirt(frame.start).unsafePointer
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: 4096)
    if page.object == Self.file { memory.storeBytes(of: Self.word(at: page.offset), as: UInt64.self) }
    frames[page.object.rawValue]?[page.offset] = frame
    return frame
  }

  mutating func take(
    _ page: ObjectRange, in frame: Page<PhysAddr>, wasWritten: Bool,
    _ allocator: inout some CountedFrames & ~Copyable
  ) {
    precondition(frames[page.object.rawValue]?[page.offset] == frame)
    takenPages.append(page.offset)
    if wasWritten { writtenPages.insert(page.offset) }
  }

  /// Drops a page of the file: who maps it keeps it.
  mutating func evict(_ offset: UInt64, _ allocator: inout some CountedFrames & ~Copyable) {
    if let frame = frames[Self.file.rawValue]?.removeValue(forKey: offset) { _ = allocator.release(frame) }
  }

  /// Drops all pages.
  consuming func end(_ allocator: inout some CountedFrames & ~Copyable) {
    for frame in frames.values.flatMap(\.values) { _ = allocator.release(frame) }
  }
}
