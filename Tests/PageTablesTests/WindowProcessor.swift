import Addresses
import Foundation
import MemoryProtocols
import PageTables

// A processor with a recursive window, in this process: the window's addresses are this process's own.
//
// Physical memory is a file. An access to an address of the window or to the scratch page faults at first; the
// handler walks the tables as a processor does and maps the frame there: that is the processor's TLB. What is mapped
// stays until it is invalidated, whatever becomes of the tables, so an operation that forgets a flush works on the old
// frame. Frames are poisoned with entries that a walk would follow. Pages are first mapped for reading alone; at the
// first write to a table, the handler looks for poison in the frames that were given out.
//
// A direct map shows the same memory for page tables of every format. There the first write to a page runs a hook, which
// is what another processor does right before that instruction: after whatever the operation has read.

/// The processor and its physical memory. One exists at a time.
final class WindowProcessor {
  typealias Format = X86FourLevel

  static let base = PhysAddr(16 << 20)
  static let frameCount = 64
  /// Entry 100 of the root, and a page in entry 101's range.
  static let window = RecursiveWindow<Format>(index: 100)
  static let scratch = VirtAddr((101 << 39) + 0x3000)
  static let poison: UInt64 = 0x0000_0000_0100_0027
  static let directMap = AddrRange(start: VirtAddr(102 << 39), byteCount: UInt(frameCount) * 4096)
  private static let addresses = AddrRange(start: VirtAddr(100 << 39), byteCount: 3 << 39)

  private static let turn = NSLock()
  nonisolated(unsafe) private static var current: WindowProcessor?

  let file: CInt
  let memory: UnsafeMutableRawPointer
  private(set) var root = PhysAddr.null
  private var freeFrames: [PhysAddr]
  private(set) var usedFrames: Set<PhysAddr> = []
  /// What is in the TLB, and whether it was written through.
  private var cached: [VirtAddr: Bool] = [:]
  private(set) var flushCount = 0
  /// What another processor does right before the first write to a page of the direct map.
  var beforeWrite: () -> Void = {}
  /// Tables that were written to, and may have got a link, while a frame given out held poison.
  private(set) var exposures: [VirtAddr] = []

  private init() {
    let byteCount = Self.frameCount * 4096
    let stream = tmpfile()
    file = dup(fileno(stream))
    fclose(stream)
    precondition(file >= 0 && ftruncate(file, byteCount) == 0, "the test needs a temporary file")
    memory = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
    freeFrames = (0..<UInt64(Self.frameCount)).reversed().map { Self.base + $0 * 4096 }
  }

  deinit {
    munmap(memory, Self.frameCount * 4096)
    close(file)
  }

  /// Runs `body` on a processor whose tables have the recursive entry and a table for the scratch page.
  static func run<Result>(_ body: (WindowProcessor) throws -> Result) rethrows -> Result {
    try turn.withLock {
      let processor = WindowProcessor()
      processor.boot()
      current = processor
      var (action, old) = (sigaction(), sigaction())
      action.__sigaction_handler.sa_sigaction = { signal, information, _ in
        let address = VirtAddr(information?.pointee._sifields._sigfault.si_addr)
        // An access outside faults again, and ends the process as ever.
        if WindowProcessor.current?.fill(address) != true { Foundation.signal(signal, SIG_DFL) }
      }
      action.sa_flags = SA_SIGINFO
      sigaction(SIGSEGV, &action, &old)
      defer {
        sigaction(SIGSEGV, &old, nil)
        processor.forget(addresses)
        current = nil
      }
      return try body(processor)
    }
  }

  /// The tables as another walker sees them.
  var mapper: OffsetPhysMapper {
    OffsetPhysMapper(
      AddrRange(start: Self.base, byteCount: UInt64(Self.frameCount) * 4096), at: VirtAddr(memory))
  }

  /// Reaches the tables through the direct map.
  var directMapper: OffsetPhysMapper { OffsetPhysMapper(over: Self.directMap, from: Self.base) }

  private func boot() {
    var frames = WindowFrames(processor: self)
    guard var table = try? PageTable<Format, OffsetPhysMapper>(mapper: mapper, &frames),
      let change = try? table.map(
        Page(start: Self.scratch + 4096), to: Page(start: PhysAddr(0x5000)), .kernelData, &frames)
    else { fatalError("no frames") }
    change.ignore()
    table.addRecursiveEntry(Self.window)
    root = table.root
  }

  /// What a walk from the root says now.
  func translate(_ address: VirtAddr) -> Translation<Format>? {
    try? PageTable<Format, OffsetPhysMapper>(adopting: root, mapper: mapper).translate(address)
  }

  /// Serves a fault; false for an address that is not the model's, or that the tables do not map.
  private func fill(_ address: VirtAddr) -> Bool {
    let page = address.alignedDown(to: 4096)
    guard let frame = frame(behind: page) else { return false }
    let isWrite = cached[page] != nil
    cached[page] = isWrite
    if !isWrite {
      return mmap(page.pointer, 4096, PROT_READ, MAP_SHARED | MAP_FIXED, file, Int(frame.raw - Self.base.raw))
        == page.pointer
    }
    if Self.directMap.contains(page) {
      beforeWrite()
    } else if page != Self.scratch && page != Self.window.table(of: Self.scratch, level: 0).start {
      // The scratch page shows poison, and the table with its entry links no table.
      findPoison(page)
    }
    return mprotect(page.pointer, 4096, PROT_READ | PROT_WRITE) == 0
  }

  private func frame(behind page: VirtAddr) -> PhysAddr? {
    if Self.directMap.contains(page) { return directMapper.virtToPhys(page) }
    guard Self.addresses.contains(page), let translation = translate(page),
      translation.permissions.contains(.write), !translation.permissions.contains(.user)
    else { return nil }
    return translation.physical
  }

  private func findPoison(_ table: VirtAddr) {
    for frame in usedFrames {
      let words = memory + Int(frame.raw - Self.base.raw)
      let isPoisoned = (0..<512).contains { words.load(fromByteOffset: $0 * 8, as: UInt64.self) == Self.poison }
      if isPoisoned { exposures.append(table) }
    }
  }

  /// Empties the TLB for a range.
  func forget(_ range: AddrRange<VirtAddr>) {
    for page in cached.keys where range.contains(page) {
      munmap(page.pointer, 4096)
      cached[page] = nil
    }
  }

  /// A context switch: the TLB is empty.
  func forgetAll() { forget(Self.addresses) }

  fileprivate func flush(_ range: AddrRange<VirtAddr>) {
    flushCount += 1
    forget(range)
  }

  fileprivate func takeFrame() -> PhysAddr? {
    guard let frame = freeFrames.popLast() else { return nil }
    usedFrames.insert(frame)
    for index in 0..<512 {
      memory.storeBytes(of: Self.poison, toByteOffset: Int(frame.raw - Self.base.raw) + index * 8, as: UInt64.self)
    }
    return frame
  }

  fileprivate func giveBack(_ frame: PhysAddr) {
    precondition(usedFrames.remove(frame) != nil, "a test freed a frame that is not in use")
    freeFrames.append(frame)
  }
}

/// The processor's frames.
struct WindowFrames: FrameAllocator {
  let processor: WindowProcessor
  /// How many more allocations succeed; nil for as many as there are frames.
  var allocationsLeft: Int?

  mutating func allocate(_ size: PageSize) -> Page<PhysAddr>? {
    guard size == .size4KiB, allocationsLeft != 0 else { return nil }
    if let left = allocationsLeft { allocationsLeft = left - 1 }
    return processor.takeFrame().map { Page(start: $0) }
  }

  mutating func deallocate(_ frame: Page<PhysAddr>) { processor.giveBack(frame.start) }
}

/// The processor's TLB.
struct WindowTLB: TLBInvalidator {
  let processor: WindowProcessor

  mutating func invalidate(_ start: VirtAddr, pageCount: UInt64) {
    processor.flush(AddrRange(start: start, byteCount: UInt(pageCount) * 4096))
  }

  mutating func invalidateAll() { processor.forgetAll() }
}
