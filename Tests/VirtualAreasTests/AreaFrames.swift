import Addresses
import MemoryProtocols
import PageTables

/// A frame allocator over a buffer that simulates physical memory. It refuses what it never gave out, and can be told
/// to run out.
struct AreaFrames: ~Copyable, FrameAllocator {
  static let base: UInt64 = 16 << 20

  private let memory: UnsafeMutableRawPointer
  private let byteCount: Int
  private var free: [UInt64] = []
  private(set) var used: Set<UInt64> = []
  /// How many more allocations succeed; nil for as many as there are frames.
  var allocationsLeft: Int?

  init(byteCount: Int = 16 << 20) {
    self.byteCount = byteCount
    memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 4096)
    free = (0..<UInt64(byteCount / 4096)).reversed().map { Self.base + $0 * 4096 }
  }

  deinit { memory.deallocate() }

  var mapper: OffsetPhysMapper {
    OffsetPhysMapper(AddrRange(start: PhysAddr(Self.base), byteCount: UInt64(byteCount)), at: VirtAddr(memory))
  }

  mutating func allocate(_ size: PageSize) -> Page<PhysAddr>? {
    guard size == .size4KiB, allocationsLeft != 0, let start = free.popLast() else { return nil }
    if let left = allocationsLeft { allocationsLeft = left - 1 }
    used.insert(start)
    return Page(start: PhysAddr(start))
  }

  mutating func deallocate(_ frame: Page<PhysAddr>) {
    precondition(used.remove(frame.start.raw) != nil, "a test freed a frame that is not in use")
    free.append(frame.start.raw)
  }
}

/// A processor's TLB that caches all that is mapped, as a model: the pages that were mapped and not flushed since.
struct ModelTLB: TLBInvalidator {
  /// The pages that a processor may still translate.
  private(set) var cached: Set<VirtAddr> = []
  private(set) var flushCount = 0

  /// A processor translates every page of a range.
  mutating func cache(_ range: AddrRange<VirtAddr>) {
    for page in range.pages() { cached.insert(page.start) }
  }

  mutating func invalidate(_ start: VirtAddr, pageCount: UInt64) {
    flushCount += 1
    cached = cached.filter { $0 < start || UInt64($0.raw - start.raw) / 4096 >= pageCount }
  }

  mutating func invalidateAll() {
    flushCount += 1
    cached = []
  }
}
