internal import Addresses
internal import Assertions
internal import BuddyFrames
internal import CLabPlatform
internal import FirstFitHeap
internal import HeapSpaces
internal import MemoryRegions

// The requests, each under the lock.

extension TextbookHeap {
  /// A block, 0 when there is no memory.
  func allocate(_ byteCount: UInt, alignment: UInt) -> UInt {
    guard byteCount < UInt(Int.max), alignment < UInt(Int.max) else { return 0 }
    guard fields.lock.acquire(ProcessHeap.wait) else {
      return ProcessHeap.allocateEmergency(byteCount, alignment: alignment)
    }
    defer { fields.lock.release() }
    let block =
      fields.policy == .buddy
      ? allocateFrames(max(byteCount, alignment)) : allocateFirstFit(byteCount, alignment: max(alignment, 16))
    if block != 0 { fields.usedByteCount += usable(block) }
    return block
  }

  private func allocateFirstFit(_ byteCount: UInt, alignment: UInt) -> UInt {
    if let found = firstFit.allocate(byteCount: byteCount, alignment: alignment) { return found.raw }
    // With room for the range's record, a header, and the bytes that the alignment skips.
    let (least, overflow) = byteCount.addingReportingOverflow(alignment + SystemPages.byteCount)
    guard !overflow, least < BlockLayout.largestRangeByteCount else { return 0 }
    let start = fields.committedEnd
    guard commit(upTo: start + max(least, 4 << 20)) || commit(upTo: start + least) else { return 0 }
    firstFit.insert(AddrRange(start: VirtAddr(start), end: VirtAddr(fields.committedEnd)))
    return firstFit.allocate(byteCount: byteCount, alignment: alignment)?.raw ?? 0
  }

  private func allocateFrames(_ byteCount: UInt) -> UInt {
    guard let order = FrameOrder(fitting: (UInt64(max(byteCount, 1)) + 4095) / FrameOrder.min.byteCount),
      let frame = frames.allocate(order)
    else { return 0 }
    let end = UInt(frame.raw + order.byteCount)
    if end > fields.committedEnd, !commit(upTo: max(end, fields.committedEnd + 4 << 20)), !commit(upTo: end) {
      frames.deallocate(frame, order: order)
      return 0
    }
    return UInt(frame.raw)
  }

  /// Commits up to `end`. Returns whether the range, the limit and the system allowed it.
  private func commit(upTo end: UInt) -> Bool {
    let start = fields.committedEnd
    let end = SystemPages.rounded(end)
    guard end <= fields.reservation.end, end - fields.reservation.base <= fields.limitByteCount,
      fields.reservation.commit(start, byteCount: end - start) == .done
    else { return false }
    fields.committedEnd = end
    return true
  }

  /// Frees a block. Ends the process when no block starts there.
  func deallocate(_ block: UInt) {
    guard fields.lock.acquire(ProcessHeap.wait) else { return }
    defer { fields.lock.release() }
    if isAbandoned(block) { return }
    fields.usedByteCount -= min(usable(block), fields.usedByteCount)
    if fields.policy == .buddy {
      frames.deallocate(PhysAddr(UInt64(block)), order: order(of: block))
    } else {
      firstFit.deallocate(VirtAddr(block))
    }
  }

  /// How many bytes a block's holder may use; 0 for a block of an abandoned policy.
  func usableByteCount(of block: UInt) -> UInt {
    guard fields.lock.acquire(ProcessHeap.wait) else { return 0 }
    defer { fields.lock.release() }
    return isAbandoned(block) ? 0 : usable(block)
  }

  /// A block with the content of `block`, which is freed. 0 when there is no memory; `block` then stays.
  func reallocate(_ block: UInt, _ byteCount: UInt) -> UInt {
    if resize(block, byteCount) { return block }
    // Only the start of an abandoned block is known: all that can be read is copied.
    let usable = usableByteCount(of: block)
    let isAbandoned = isAbandoned(block)
    let before = isAbandoned ? fields.policyStart - block : usable
    let moved = allocate(byteCount, alignment: 16)
    // A request for fewer bytes never fails.
    if moved == 0 { return !isAbandoned && byteCount <= before ? block : 0 }
    lab_platform_copy(moved, block, min(before, byteCount))
    deallocate(block)
    return moved
  }

  /// How many bytes are committed, and how many of those are in use.
  var heldByteCounts: (committed: UInt, used: UInt) {
    // A handler that interrupted this thread inside the lock reads without it.
    let isLocked = fields.lock.acquire(ProcessHeap.wait)
    defer { if isLocked { fields.lock.release() } }
    let committed = fields.committedEnd - fields.policyStart
    return (committed, min(fields.usedByteCount, committed))
  }

  private func resize(_ block: UInt, _ byteCount: UInt) -> Bool {
    guard fields.lock.acquire(ProcessHeap.wait) else { return false }
    defer { fields.lock.release() }
    if isAbandoned(block) { return false }
    let before = usable(block)
    if fields.policy == .buddy { return byteCount <= before && byteCount > before / 2 }
    guard firstFit.resize(VirtAddr(block), toByteCount: byteCount) else { return false }
    fields.usedByteCount = fields.usedByteCount - min(before, fields.usedByteCount) + usable(block)
    return true
  }

  /// Whether a block belongs to a policy that a child of fork abandoned.
  private func isAbandoned(_ block: UInt) -> Bool { block >= fields.reservation.base && block < fields.policyStart }

  /// A block's size, with the lock held. Ends the process when no block starts there.
  private func usable(_ block: UInt) -> UInt {
    require(
      block >= fields.policyStart && block < fields.committedEnd, "free of a pointer that heaplab did not give out",
      UInt64(block))
    return fields.policy == .buddy
      ? UInt(order(of: block).byteCount) : firstFit.usableByteCount(of: VirtAddr(block))
  }

  private func order(of block: UInt) -> FrameOrder {
    guard case .allocated(let start, let order) = frames.use(of: PhysAddr(UInt64(block))) else {
      fail("free of a pointer that heaplab did not give out, or double free", UInt64(block))
    }
    require(start.raw == UInt64(block), "free of a pointer into the middle of a block", UInt64(block))
    return order
  }
}
