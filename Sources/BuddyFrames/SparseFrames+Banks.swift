public import Addresses
import Assertions

// Memory that comes and goes: hot-plugged modules, and what a hypervisor gives and takes in large pieces.

extension SparseFrames {
  /// Adds a bank for the whole frames in `range`, all free.
  ///
  /// Traps when `range` overlaps a bank, lies outside the span, or when there are as many banks as there can be.
  ///
  /// The table may lie in the new memory itself, as Linux's `memmap_on_memory` has it: reserve its frames there before
  /// anything is allocated.
  ///
  /// - Parameters:
  ///   - range: The new memory.
  ///   - tableMemory: Memory for its frame table, as for ``BuddyFrames/init(over:tableIn:holding:)``.
  ///   - content: What `tableMemory` holds.
  /// - Complexity: O(n) for n banks and GiB of the span.
  public mutating func add(
    _ range: AddrRange<PhysAddr>, tableIn tableMemory: AddrRange<VirtAddr>, holding content: FrameTableContent
  ) {
    let frames = BuddyFrames(over: range, tableIn: tableMemory, holding: content)
    let range = frames.range
    if range.isEmpty { return }
    require(bankCount < list.capacity, "a sparse allocator has as many banks as its memory allows")
    require(
      range.start >= list.origin && (range.end.raw - list.origin.raw - 1) >> 30 < list.sectionCount,
      "a bank must lie in the span of its allocator, found one at", range.start.raw)
    let index = list.index(reaching: range.start, of: bankCount)
    require(
      // SAFETY: the index is below the count.
      unsafe index == bankCount || list.bank(index).pointee.frames.range.start >= range.end,
      "the banks of an allocator must not overlap, found one at", range.start.raw)
    freeFrameCount += frames.freeFrameCount
    frameCount += range.byteCount >> 12
    for bank in stride(from: bankCount, through: index, by: -1) {
      // SAFETY: there is room for as many banks as the capacity and the end; the upper one is not initialised.
      unsafe list.bank(bank + 1).moveInitialize(from: list.bank(bank), count: 1)
    }
    // SAFETY: the index is below the capacity, and what was there was moved away.
    unsafe list.bank(index).initialize(to: FrameBank(frames, table: tableMemory))
    bankCount += 1
    reindex()
  }

  /// Removes the bank over exactly the whole frames in `range`, if none of them is allocated or cached.
  ///
  /// To empty a bank, its holder reserves what is free, moves what is in use, and reserves that as it becomes free.
  /// Traps when there is no such bank.
  ///
  /// - Returns: The memory of the bank's frame table, which is the caller's again; nil when a frame is in use, with
  ///   nothing changed.
  /// - Complexity: O(n) for n banks and GiB of the span.
  public mutating func remove(_ range: AddrRange<PhysAddr>) -> AddrRange<VirtAddr>? {
    let range = range.alignedInward(to: PageSize.size4KiB.byteCount)
    let index = requireBank(of: range.start)
    // SAFETY: the index is below the count.
    let bank = unsafe list.bank(index)
    require(
      unsafe bank.pointee.frames.range == range, "memory must be removed by the bank, found a range at",
      range.start.raw)
    // SAFETY: as above.
    guard unsafe bank.pointee.frames.allocatedFrameCount == 0 else { return nil }
    freeFrameCount -= unsafe bank.pointee.frames.freeFrameCount
    frameCount -= range.byteCount >> 12
    // SAFETY: as above; then the banks behind it move down by one.
    let table = unsafe bank.pointee.table
    unsafe bank.deinitialize(count: 1)
    for next in index + 1...bankCount {
      // SAFETY: a bank or the end; the lower of the two is not initialised.
      unsafe list.bank(next - 1).moveInitialize(from: list.bank(next), count: 1)
    }
    bankCount -= 1
    reindex()
    return table
  }

  // MARK: Access

  /// Whether one of the banks contains `address`.
  ///
  /// - Complexity: O(1), plus a step for each bank in the same GiB.
  public func contains(_ address: PhysAddr) -> Bool {
    let index = list.index(reaching: address, of: bankCount)
    // SAFETY: the index is below the count.
    return unsafe index < bankCount && list.bank(index).pointee.frames.range.start <= address
  }

  /// Runs `body` on the bank that contains `address`; traps when none does.
  ///
  /// Everything that a ``BuddyFrames`` offers can be done there.
  public mutating func withBank<Result: ~Copyable, Failure: Error>(
    containing address: PhysAddr, _ body: (inout BuddyFrames) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withBank(requireBank(of: address), body)
  }

  /// Runs `body` on the bank with an index from 0 up to ``bankCount``, in address order; traps outside.
  public mutating func withBank<Result: ~Copyable, Failure: Error>(
    _ index: Int, _ body: (inout BuddyFrames) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    requireIndex(index)
    // SAFETY: the index is below the count.
    let before = unsafe list.bank(index).pointee.frames.freeFrameCount
    defer {
      // SAFETY: as above.
      freeFrameCount = unsafe freeFrameCount &+ list.bank(index).pointee.frames.freeFrameCount &- before
      wake(index, 0)
      list.include(index)
    }
    // SAFETY: as above, and nobody else uses the bank.
    return try unsafe body(&list.bank(index).pointee.frames)
  }

  /// The frames of a bank; traps when there is none with this index.
  public func range(ofBank index: Int) -> AddrRange<PhysAddr> {
    requireIndex(index)
    // SAFETY: the index is below the count.
    return unsafe list.bank(index).pointee.frames.range
  }

  private func requireIndex(_ index: Int) {
    require(index >= 0 && index < bankCount, "there is no bank with the index", UInt64(truncatingIfNeeded: index))
  }
}
