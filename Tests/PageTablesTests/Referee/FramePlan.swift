import Addresses
import MemoryProtocols

/// The layout of a machine's physical memory: the frames of the tables, and the frames to map.
struct FramePlan {
  /// The frames of tables. A test never maps these.
  var tables: AddrRange<PhysAddr>
  /// The frames for 4, 16 and 64 KiB pages.
  var small: AddrRange<PhysAddr>
  /// The frames for 2 MiB pages.
  var large: AddrRange<PhysAddr>
  /// The frames for larger pages.
  var huge: AddrRange<PhysAddr>

  /// A plan for memory from `start` on, a multiple of 1 GiB: 16 MiB for tables, few and therefore shared frames for
  /// small and large pages, 3 GiB for huge ones; 4 GiB in all.
  init(from start: PhysAddr, tablesAt tablesOffset: UInt64 = 0) {
    let megabyte: UInt64 = 1 << 20
    tables = AddrRange(start: start + tablesOffset, byteCount: 16 * megabyte)
    small = AddrRange(start: start + (tablesOffset + 16 * megabyte), byteCount: 64 << 12)
    large = AddrRange(start: start + (tablesOffset + 32 * megabyte), byteCount: 16 * megabyte)
    huge = AddrRange(start: start + (1 << 30), byteCount: 3 << 30)
  }

  /// The frames of a size to choose from.
  func frames(of size: PageSize) -> AddrRange<PhysAddr> {
    switch size {
    case .size4KiB, .size16KiB, .size64KiB: small
    case .size2MiB: large
    case .size32MiB, .size512MiB, .size1GiB: huge
    }
  }

  /// A random frame of a size; small ones sometimes lie in the middle of larger ones.
  func randomFrame(of size: PageSize, using random: inout some RandomNumberGenerator) -> Page<PhysAddr> {
    let source = Bool.random(using: &random) ? size : [size, .size2MiB, .size1GiB].max() ?? size
    let frames = frames(of: source)
    let offset = UInt64.random(in: 0..<frames.byteCount, using: &random)
    return Page(containing: frames.start + offset, size: size)
  }
}

/// The allocator of tables: frames of one size from a part of memory, last freed first used. It poisons freed frames: a judge
/// that still walks one goes wrong.
final class TableFrames: FrameAllocator {
  private let memory: PhysicalMemory
  private let range: AddrRange<PhysAddr>
  private let tableSize: PageSize
  private var free: [Page<PhysAddr>] = []
  private var next: PhysAddr
  /// The frames that are in use.
  private(set) var used: Set<Page<PhysAddr>> = []

  init(_ range: AddrRange<PhysAddr>, of memory: PhysicalMemory, tableSize: PageSize = .size4KiB) {
    self.memory = memory
    self.tableSize = tableSize
    self.range = range
    next = range.start
  }

  func allocate(_ size: PageSize) -> Page<PhysAddr>? {
    guard size == tableSize else { return nil }
    guard let frame = free.popLast() ?? fresh() else { return nil }
    used.insert(frame)
    return frame
  }

  func deallocate(_ frame: Page<PhysAddr>) {
    precondition(used.remove(frame) != nil, "\(frame) was not in use")
    memory.pointer(to: frame.start.raw).initializeMemory(as: UInt8.self, repeating: 0xA5, count: Int(frame.byteCount))
    free.append(frame)
  }

  private func fresh() -> Page<PhysAddr>? {
    guard next < range.end else { return nil }
    let frame = Page(start: next, size: tableSize)
    next = frame.end
    return frame
  }
}
