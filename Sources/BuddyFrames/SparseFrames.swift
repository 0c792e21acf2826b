public import Addresses
import Assertions
public import MemoryProtocols

/// A buddy allocator for memory with holes: frame tables where memory is, and nothing where none is.
///
/// The memory is a list of *banks*, contiguous pieces in address order, each a ``BuddyFrames`` with a table of its own.
/// Banks can be added and removed while the allocator is in use. Like its banks, it returns **the lowest free block** of
/// the requested order. Blocks of two banks never merge, and no run of frames reaches from one into the next.
///
/// The cost beyond that of a bank depends neither on the size of the memory nor on that of its holes: allocation finds
/// the lowest bank that may have a block in a bitmap (a word for each 64 banks), and an address leads to its bank by a
/// table with a word for each GiB of the span. See `FrameBankList.swift`.
///
/// ```swift
/// guard var frames = try SparseFrames(takingOver: &map, mapper: directMap) else { … }
/// let frame = frames.allocate(.size2MiB)
/// ```
///
/// It holds no lock; two threads must not use it at once.
///
/// | file | what is in it |
/// | --- | --- |
/// | `SparseFrames+Banks.swift` | adding and removing banks |
/// | `SparseFrames+MemoryMap.swift` | starting from a boot loader's memory map |
/// | `SparseFrames+Runs.swift` | contiguous runs, reservations, ballooning |
/// | `SparseFrames+ReferenceCounts.swift` | frames with several holders; splitting and joining |
/// | `FrameBankList.swift`, `FrameBank.swift` | the banks in the caller's memory |
public struct SparseFrames: ~Copyable, FrameAllocator {
  let list: FrameBankList

  /// The address of the lowest bank that may have a free frame, or of the end: the banks below are recorded as full.
  private var current: UInt

  /// How many banks there are.
  public internal(set) var bankCount = 0

  /// How many frames are free.
  public internal(set) var freeFrameCount: UInt64 = 0

  /// How many frames the banks have.
  public internal(set) var frameCount: UInt64 = 0

  /// How often a bank was added or removed.
  var bankChangeCount = 0

  /// How many bytes an allocator needs for its list of banks, their frame tables not included, at a multiple of 8.
  ///
  /// - Parameters:
  ///   - span: The addresses that memory can have, now or later: 8 bytes for each GiB.
  ///   - bankCapacity: How many banks there can be at once.
  public static func byteCount(spanning span: AddrRange<PhysAddr>, bankCapacity: Int) -> UInt {
    FrameBankListLayout(spanning: span, capacity: bankCapacity).byteCount
  }

  /// An allocator without memory: ``add(_:tableIn:holding:)`` adds some.
  ///
  /// - Parameters:
  ///   - span: The addresses that memory can have, now or later.
  ///   - bankCapacity: How many banks there can be at once.
  ///   - storage: Memory for the list of banks, used by nobody else while the allocator is in use. Traps unless it has
  ///     at least ``byteCount(spanning:bankCapacity:)`` bytes at a multiple of 8.
  public init(spanning span: AddrRange<PhysAddr>, bankCapacity: Int, in storage: AddrRange<VirtAddr>) {
    let byteCount = SparseFrames.byteCount(spanning: span, bankCapacity: bankCapacity)
    require(
      !storage.start.isNull && storage.start.isAligned(to: 8),
      "a sparse allocator's list must start at a multiple of 8 bytes, found", UInt64(storage.start.raw))
    require(
      byteCount <= storage.byteCount, "a sparse allocator's list needs more memory than it was given, in bytes",
      UInt64(byteCount))
    list = FrameBankList(spanning: span, capacity: bankCapacity, at: storage.start)
    // SAFETY: there is room for the end, at which no bank is yet.
    unsafe list.bank(0).initialize(to: FrameBank(BuddyFrames(), table: storage))
    current = list.address(ofBank: 0)
    reindex()
  }

  /// Computes all that follows from which banks there are.
  mutating func reindex() {
    bankChangeCount += 1
    list.indexSections(of: bankCount)
    list.resetSets(of: bankCount)
    current = list.address(ofBank: 0)
  }

  // MARK: Blocks

  /// The lowest free block of `order`, or nil when there is none.
  ///
  /// - Complexity: O(1), plus a step for each 64 banks. A bank without a block costs one search, until a block is freed
  ///   in it.
  public mutating func allocate(_ order: FrameOrder) -> PhysAddr? {
    // A single frame is the most common request and has code of its own.
    order == .min ? allocateFrame() : allocateRun(order)
  }

  /// The banks below the current one are full.
  @inline(__always)
  private mutating func allocateFrame() -> PhysAddr? {
    // SAFETY: a bank or the end, and nobody else uses it.
    let bank = unsafe list.bank(at: current)
    if unsafe bank.pointee.frames.freeFrameCount == 0 { return allocateAboveCurrent() }
    freeFrameCount &-= 1
    // SAFETY: as above.
    return unsafe bank.pointee.frames.allocateFrame()
  }

  /// Moves on from the current bank, which is full, and allocates a frame in the next bank that has one.
  @inline(never)
  private mutating func allocateAboveCurrent() -> PhysAddr? {
    var index = list.index(ofBank: current)
    // SAFETY: the index is below the count.
    while index < bankCount, unsafe list.bank(index).pointee.frames.freeFrameCount == 0 {
      unsafe list.bank(index).pointee.sleep()
      index += 1
    }
    current = list.address(ofBank: index)
    return index == bankCount ? nil : allocateFrame()
  }

  @inline(never)
  private mutating func allocateRun(_ order: FrameOrder) -> PhysAddr? {
    var index = list.lowestBank(from: 0, order: order.rawValue)
    while index < bankCount {
      // SAFETY: the index is below the count, and nobody else uses the bank.
      if let address = unsafe list.bank(index).pointee.frames.allocate(order) {
        freeFrameCount &-= order.frameCount
        return address
      }
      list.exclude(index, from: order.rawValue)
      index = list.lowestBank(from: index + 1, order: order.rawValue)
    }
    return nil
  }

  /// The lowest free frame of `size`, or nil when there is none. Its content is undefined.
  public mutating func allocate(_ size: PageSize) -> Page<PhysAddr>? {
    guard let address = allocate(size.order) else { return nil }
    return Page(containing: address, size: size)
  }

  /// Deallocates a block that was allocated with this order; any other ends the process.
  ///
  /// - Complexity: As for `allocate(_:)`.
  public mutating func deallocate(_ address: PhysAddr, order: FrameOrder) {
    // As in `allocate(_:)`. What is rare is left by a jump.
    guard order == .min, let (bank, position) = list.lowestBank(ofFrame: address),
      // SAFETY: the bank exists.
      unsafe list.bank(at: bank).pointee.frames.freeFrameCount &+ 1 < list.bank(at: bank).pointee.wakeFrameCount
    else { return deallocateRun(address, order) }
    freeFrameCount &+= 1
    // SAFETY: the bank exists, and nobody else uses it.
    unsafe list.bank(at: bank).pointee.frames.deallocateFrame(address, at: position)
  }

  @inline(never)
  private mutating func deallocateRun(_ address: PhysAddr, _ order: FrameOrder) {
    let bank = bank(of: address)
    countDeallocation(order, in: bank)
    // SAFETY: the bank exists, and nobody else uses it.
    unsafe list.bank(at: bank).pointee.frames.deallocate(address, order: order)
  }

  /// Deallocates a frame that was allocated with this size; any other ends the process.
  public mutating func deallocate(_ frame: Page<PhysAddr>) { deallocate(frame.start, order: frame.size.order) }

  /// Counts a block that the bank at an address gets back.
  @inline(__always)
  mutating func countDeallocation(_ order: FrameOrder, in bank: UInt) {
    freeFrameCount &+= order.frameCount
    // SAFETY: the bank exists.
    let bank = unsafe list.bank(at: bank)
    let free = unsafe bank.pointee.frames.freeFrameCount &+ order.frameCount
    // SAFETY: as above.
    if unsafe free >= bank.pointee.wakeFrameCount { wake(list.index(ofBank: UInt(bitPattern: bank)), free) }
  }

  /// Drops what is recorded about a bank and may no longer hold once `freeFrameCount` of its frames are free: that it is
  /// full, and that it is barren.
  mutating func wake(_ index: Int, _ freeFrameCount: UInt64) {
    // SAFETY: the index is below the count.
    let bank = unsafe list.bank(index)
    unsafe bank.pointee.wake()
    current = min(current, list.address(ofBank: index))
    // SAFETY: as above.
    if unsafe freeFrameCount >= bank.pointee.wakeFrameCount { list.include(index) }
  }

  // MARK: Banks

  /// The address of the bank of the frame at `address`; ends the process when there is none.
  @inline(__always)
  func bank(of address: PhysAddr) -> UInt { list.lowestBank(ofFrame: address)?.bank ?? searchBank(of: address) }

  @inline(never)
  private func searchBank(of address: PhysAddr) -> UInt { list.address(ofBank: requireBank(of: address)) }

  /// The index of the bank that contains `address`; ends the process when none does.
  func requireBank(of address: PhysAddr) -> Int {
    let index = list.index(reaching: address, of: bankCount)
    // SAFETY: the index is below the count.
    guard unsafe index < bankCount && list.bank(index).pointee.frames.range.start <= address else {
      fail("a frame must be in one of the allocator's banks, found", address.raw)
    }
    return index
  }

  deinit {
    // SAFETY: the banks below the count and the end are initialised; their memory stays the caller's.
    for index in 0...bankCount { unsafe list.bank(index).deinitialize(count: 1) }
  }
}
