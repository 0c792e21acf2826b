import Addresses
import Assertions
import MemoryProtocols
import PageTables

#if canImport(Glibc)
  import Glibc
#endif

/// A frame allocator over a buffer that simulates physical memory from 16 MiB on. It tracks its frames in use and can
/// be told to run out.
struct TestFrames: ~Copyable, FrameAllocator {
  /// The lowest physical address; not 0, which exposes a physical address used as a virtual one.
  static let base: UInt64 = 16 << 20

  let memory: UnsafeMutableRawPointer
  let byteCount: Int
  /// The frames in use by first address, with their sizes and how many holders they have.
  private(set) var used: [UInt64: (size: PageSize, holders: UInt32)] = [:]
  /// Starts of free frames by size: 2 MiB frames lie above `nextLarge`, smaller ones below `next`.
  private var free: [PageSize: [UInt64]] = [:]
  private var next = TestFrames.base
  private var nextLarge: UInt64
  /// How many more allocations succeed; nil for as many as there are frames.
  var allocationsLeft: Int?
  /// How many frames were ever allocated.
  private(set) var allocationCount = 0
  /// The objects that are told of every frame before it is freed.
  var watchers: [any FrameWatcher] = []

  init(byteCount: Int = 8 << 20) {
    self.byteCount = byteCount
    memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 1 << 21)
    nextLarge = TestFrames.base + UInt64(byteCount)
  }

  deinit { memory.deallocate() }

  /// The physical addresses of all frames, in use or free.
  var range: AddrRange<PhysAddr> { AddrRange(start: PhysAddr(TestFrames.base), byteCount: UInt64(byteCount)) }

  /// The mapper that reaches this memory.
  var mapper: OffsetPhysMapper { OffsetPhysMapper(range, at: VirtAddr(memory)) }

  /// How many frames of any size are in use.
  var usedCount: Int { used.count }

  mutating func allocate(_ size: PageSize) -> Page<PhysAddr>? {
    if let left = allocationsLeft {
      if left == 0 { return nil }
      allocationsLeft = left - 1
    }
    guard let start = take(size) else { return nil }
    used[start] = (size, 1)
    allocationCount += 1
    // The content of a new frame is undefined; the poison makes it nonzero.
    memset(memory + Int(start - TestFrames.base), 0xA5, Int(size.byteCount))
    return Page(start: PhysAddr(start), size: size)
  }

  private mutating func take(_ size: PageSize) -> UInt64? {
    if let start = free[size]?.popLast() { return start }
    switch size {
    case .size4KiB, .size16KiB, .size64KiB:
      let start = (next + size.byteCount - 1) & ~(size.byteCount - 1)
      guard start + size.byteCount <= nextLarge else { return nil }
      next = start + size.byteCount
      return start
    case .size2MiB:
      guard nextLarge >= next + (2 << 20) else { return nil }
      nextLarge -= 2 << 20
      return nextLarge
    case .size32MiB, .size512MiB, .size1GiB: return nil
    }
  }

  mutating func deallocate(_ frame: Page<PhysAddr>) {
    guard let held = used.removeValue(forKey: frame.start.raw), held.size == frame.size else {
      fail("a test deallocated a frame that is not in use", frame.start.raw)
    }
    for watcher in watchers { watcher.willFree(frame) }
    // Freed frames are poisoned, which exposes later use.
    let memory = memory + Int(frame.start.raw - TestFrames.base)
    memset(memory, 0x5A, Int(frame.size.byteCount))
    free[frame.size, default: []].append(frame.start.raw)
  }

  /// The frames in use, with the bytes of every small frame.
  func snapshot() -> [UInt64: [UInt8]] {
    Dictionary(
      uniqueKeysWithValues: used.map { start, held in
        let byteCount = held.size < .size2MiB ? Int(held.size.byteCount) : 0
        let bytes = UnsafeRawBufferPointer(start: memory + Int(start - TestFrames.base), count: byteCount)
        return (start, Array(bytes))
      })
  }

  /// The eight bytes at a physical address.
  func word(_ address: PhysAddr) -> UInt64 {
    memory.load(fromByteOffset: Int(address.raw - TestFrames.base), as: UInt64.self)
  }

  /// Writes the eight bytes at a physical address.
  func write(_ value: UInt64, at address: PhysAddr) {
    memory.storeBytes(of: value, toByteOffset: Int(address.raw - TestFrames.base), as: UInt64.self)
  }
}

extension TestFrames: FrameReferenceCounts, FrameSplitting {
  func referenceCount(of frame: Page<PhysAddr>) -> UInt32 { held(frame).holders }

  mutating func retain(_ frame: Page<PhysAddr>) {
    _ = held(frame)
    used[frame.start.raw]?.holders += 1
  }

  mutating func release(_ frame: Page<PhysAddr>) -> Bool {
    if held(frame).holders == 1 {
      deallocate(frame)
      return true
    }
    used[frame.start.raw]?.holders -= 1
    return false
  }

  mutating func split(_ frame: Page<PhysAddr>, into size: PageSize) {
    let held = held(frame)
    used[frame.start.raw] = nil
    for start in stride(from: frame.start.raw, to: frame.end.raw, by: Int(size.byteCount)) {
      used[start] = (size, held.holders)
    }
  }

  mutating func join(_ frame: Page<PhysAddr>, from size: PageSize) {
    for start in stride(from: frame.start.raw, to: frame.end.raw, by: Int(size.byteCount)) {
      guard let held = used.removeValue(forKey: start), held.size == size, held.holders == 1 else {
        fail("a test joined frames that cannot be", start)
      }
    }
    used[frame.start.raw] = (frame.size, 1)
  }

  private func held(_ frame: Page<PhysAddr>) -> (size: PageSize, holders: UInt32) {
    guard let held = used[frame.start.raw], held.size == frame.size else {
      fail("a test counts a frame that is not in use with this size", frame.start.raw)
    }
    return held
  }
}
