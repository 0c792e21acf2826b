import Addresses
import BuddyFrames
import FirstFitHeap
import Foundation
import LabTestSupport
import MemoryMaps
import PageTables
import SpinLocks
import Testing

/// `cli` and `sti`, which no test may use: here a thread's signals stand for interrupts.
private typealias X86Interrupts = SignalInterrupts

/// INVPCID, which no test may use: here a counter.
private struct X86TLB: TaggedTLB {
  var callCount = 0

  mutating func invalidate(_ start: VirtAddr, pageCount: UInt64, of tag: AddressSpaceTag) { callCount += 1 }
  mutating func invalidateAll(of tag: AddressSpaceTag) { callCount += 1 }
  mutating func invalidateGlobal(_ start: VirtAddr, pageCount: UInt64) { callCount += 1 }
  mutating func invalidateEverything() { callCount += 1 }
}

// The example of docs/kernel.md, between the two marks, to the letter.
// BEGIN

private typealias Space = AddressSpace<X86FourLevel, OffsetPhysMapper>

private struct Process: ~Copyable {
  let tag: AddressSpaceTag
  var space: Space
  var tlb: TaggedInvalidator<X86TLB>

  /// The value for CR3.
  var rootRegister: UInt64 { X86FourLevel.rootRegister(space.table.root, tag) }
}

private struct Kernel: ~Copyable {
  static let userRange = AddrRange(start: VirtAddr(0x1000), end: VirtAddr(0x7FFF_FFFF_F000))
  static let stackRange = AddrRange(start: VirtAddr(0x7FFF_0000_0000), byteCount: 8 << 20)

  let directMap: OffsetPhysMapper
  var map: MemoryMap
  var frames: SparseFrames
  var table: PageTable<X86FourLevel, OffsetPhysMapper>
  let heap = LockedHeapBy<InterruptSafeLock<TicketLock, X86Interrupts>>()
  var tags = AddressSpaceTags<64>(count: 4096)

  /// Nil when the boot loader's map is unusable, or memory too small. `storage` is an array in the kernel's image.
  init?(
    limine response: VirtAddr, _ reader: BootPointerReader, mapIn storage: AddrRange<VirtAddr>,
    _ directMap: OffsetPhysMapper, offset: UInt
  ) {
    var map = MemoryMap(in: storage)
    let data = PageAttributes(.kernelData, isGlobal: true)
    // The tables of frames are taken out of the map; the kernel's own page tables map all memory at an offset.
    guard (try? map.add(limine: response, reader: reader)) != nil,
      var frames = try? SparseFrames(takingOver: &map, mapper: directMap),
      var table = try? PageTable<X86FourLevel, OffsetPhysMapper>(mapper: directMap, &frames),
      let change = try? table.map(directMap.frames, offset: offset, data, &frames),
      (try? table.prepareKernelHalf(&frames)) != nil, let run = frames.allocate(FrameOrder(8))
    else { return nil }
    change.ignore()
    try? heap.initHeap(AddrRange(start: directMap.physToVirt(run), byteCount: 1 << 20), search: .table)
    self.directMap = directMap
    self.map = map
    self.frames = frames
    self.table = table
  }

  /// Frees what the boot loader left, once CR3 has the kernel's root and the stack is the kernel's own.
  mutating func reclaim() -> UInt64 { frames.reclaim(.bootloader, in: &map) }

  /// A process with a heap and a stack, none of whose pages exist yet; nil when there is no memory for it.
  mutating func start(_ tlb: consuming X86TLB) -> Process? {
    guard let tag = tags.allocate(&tlb) else { return nil }
    if var space = try? Space(managing: Kernel.userRange, mapper: directMap, &frames) {
      if (try? space.table.copyKernelHalf(from: table)) != nil,
        (try? space.addRegion(byteCount: 1 << 20, .userData, guardByteCount: 4096, &frames)) != nil,
        (try? space.addStack(Kernel.stackRange, .userData, &frames)) != nil
      {
        return Process(tag: tag, space: space, tlb: TaggedInvalidator(tlb, tag: tag))
      }
      space.deallocate(&frames)
    }
    tags.deallocate(tag)
    return nil
  }

  /// The page-fault handler; false when the process must die.
  mutating func handleFault(_ address: VirtAddr, _ access: MemoryAccess, in process: inout Process) -> Bool {
    (try? process.space.handleFault(address, access, &frames, &process.tlb)) != nil
  }

  /// A copy of a process, which shares its pages until either writes to them.
  mutating func fork(_ parent: inout Process) -> Process? {
    guard let tag = tags.allocate(&parent.tlb.tlb) else { return nil }
    if let space = try? parent.space.fork(&frames, &parent.tlb) {
      return Process(tag: tag, space: space, tlb: TaggedInvalidator(parent.tlb.tlb, tag: tag))
    }
    tags.deallocate(tag)
    return nil
  }

  /// Ends a process that no processor runs any more.
  mutating func end(_ process: consuming Process) {
    tags.deallocate(process.tag)
    process.space.deallocate(&frames)
  }
}
// END

@Suite struct KernelTourTests {
  private static let directMapOffset: UInt = 0xFFFF_8000_0000_0000
  /// 16 MiB to 50 MiB: usable memory, what the boot loader left, the kernel.
  private static let memoryRange = AddrRange<PhysAddr>(16 << 20, 50 << 20)

  /// The response of a Limine that found that memory.
  private func response() -> MemoryImage {
    func word(_ value: UInt64) -> [UInt8] { FirmwareTables.littleEndian(value) }
    let base: UInt64 = 0xFFFF_9000_0000_0000
    let entries: [(start: UInt64, end: UInt64, type: UInt64)] = [
      (16 << 20, 48 << 20, 0), (48 << 20, 49 << 20, 5), (49 << 20, 50 << 20, 6),
    ]
    var pieces = entries.enumerated().map { index, entry in
      MemoryImage.Piece(
        name: "entry", address: base + 0x1000 + UInt64(index) * 0x100,
        bytes: word(entry.start) + word(entry.end - entry.start) + word(entry.type))
    }
    pieces.append(.init(name: "array", address: base + 0x100, bytes: pieces.flatMap { word($0.address) }))
    pieces.append(
      .init(name: "response", address: base, bytes: word(0) + word(UInt64(entries.count)) + word(base + 0x100)))
    return MemoryImage(pieces: pieces)
  }

  /// A kernel over a buffer that stands for that memory.
  private func boot(_ memory: borrowing TestMemory, _ storage: borrowing TestMemory) -> Kernel? {
    let image = response()
    return Kernel(
      limine: VirtAddr(UInt(image.address(of: "response"))), image.read, mapIn: storage.range,
      OffsetPhysMapper(Self.memoryRange, at: memory.range.start), offset: Self.directMapOffset)
  }

  @Test func theKernelBoots() throws {
    let memory = TestMemory(byteCount: UInt(Self.memoryRange.byteCount))
    let storage = TestMemory(byteCount: MemoryMap.byteCount(forEntries: 32))
    guard var kernel = boot(memory, storage) else { throw Unexpected() }
    // 32 MiB, without the frame table, 257 page tables and one for the direct map, and the heap.
    let mostFree: UInt64 = 32 * 256 - 258 - 256
    #expect(kernel.frames.freeFrameCount < mostFree && kernel.frames.freeFrameCount > mostFree - 64)
    let reclaimedCount = kernel.reclaim()
    #expect(reclaimedCount == 256)
    #expect(kernel.map.byteCount(of: .bootloader) == 0)
    let translation = try kernel.table.translate(VirtAddr(Self.directMapOffset + (20 << 20) + 5))
    #expect(translation.physical == PhysAddr((20 << 20) + 5))
    #expect(translation.size == .size2MiB)
    let block = try unwrapped(kernel.heap.allocate(byteCount: 100, alignment: 16))
    kernel.heap.deallocate(block)
    try kernel.frames.checkConsistency()
  }

  @Test func aProcessLivesAndForks() throws {
    let memory = TestMemory(byteCount: UInt(Self.memoryRange.byteCount))
    let storage = TestMemory(byteCount: MemoryMap.byteCount(forEntries: 32))
    guard var kernel = boot(memory, storage) else { throw Unexpected() }
    let freeFrameCount = kernel.frames.freeFrameCount
    guard var process = kernel.start(X86TLB()) else { throw Unexpected() }
    #expect(process.rootRegister == process.space.table.root.raw | 1)
    // The kernel half is the kernel's; the heap is filled by its faults, and the stack grows.
    #expect(try process.space.table.translate(VirtAddr(Self.directMapOffset + (20 << 20))).size == .size2MiB)
    let heap = VirtAddr(0x2000)
    let stack = Kernel.stackRange.end - 40_000
    for address in [heap, stack] {
      let isHandled = kernel.handleFault(address, .write, in: &process)
      #expect(isHandled)
    }
    let isGuardFilled = kernel.handleFault(Kernel.stackRange.start, .write, in: &process)
    #expect(!isGuardFilled)
    let frame = try process.space.table.translate(heap).physical
    TestMemory.setByte(7, at: kernel.directMap.physToVirt(frame))

    guard var child = kernel.fork(&process) else { throw Unexpected() }
    #expect(child.tag != process.tag)
    #expect(try child.space.table.translate(heap).physical == frame)
    let isCopied = kernel.handleFault(heap, .write, in: &child)
    #expect(isCopied)
    let copy = try child.space.table.translate(heap).physical
    #expect(copy != frame)
    #expect(TestMemory.byte(at: kernel.directMap.physToVirt(copy)) == 7)
    #expect(try process.space.table.translate(heap).physical == frame)
    #expect(process.tlb.tlb.callCount > 0)

    kernel.end(child)
    kernel.end(process)
    #expect(kernel.frames.freeFrameCount == freeFrameCount)
    #expect(kernel.tags.freeCount == 4095)
    try kernel.frames.checkConsistency()
  }

  /// What was taken before memory ran out is given back.
  @Test func aProcessNeedsMemory() throws {
    let memory = TestMemory(byteCount: UInt(Self.memoryRange.byteCount))
    let storage = TestMemory(byteCount: MemoryMap.byteCount(forEntries: 32))
    guard var kernel = boot(memory, storage) else { throw Unexpected() }
    var taken: [PhysAddr] = []
    while let frame = kernel.frames.allocate(.min) { taken.append(frame) }
    for count in 0..<2 {
      if kernel.start(X86TLB()) != nil { Issue.record("a process without frames") }
      #expect(kernel.frames.freeFrameCount == UInt64(count))
      #expect(kernel.tags.freeCount == 4095)
      kernel.frames.deallocate(taken.removeLast(), order: .min)
    }
    guard let process = kernel.start(X86TLB()) else { throw Unexpected() }
    kernel.end(process)
  }

  /// The document shows the code above.
  @Test func theDocumentShowsTheExample() throws {
    let source = try String(contentsOfFile: #filePath, encoding: .utf8)
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
    let document = try String(contentsOf: folder.appending(path: "../../docs/kernel.md"), encoding: .utf8)
    let begin = try #require(source.range(of: "// BEGIN\n\n"))
    let end = try #require(source.range(of: "// END\n"))
    let example = source[begin.upperBound..<end.lowerBound].replacing("private ", with: "")
    #expect(document.contains("```swift\n\(example)```\n"))
  }
}

/// A kernel or process is missing.
private struct Unexpected: Error {}
