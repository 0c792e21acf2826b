public import Addresses
public import MemoryProtocols

// Promotion to large pages and demotion; LargePagePolicy.swift says when.

extension AddressSpace {
  /// Whether one large page may map a block: the block lies wholly inside the region, whose pages come
  /// from nowhere else.
  @inlinable
  func canBeLarge(_ block: Page<VirtAddr>, _ region: VirtualRegion) -> Bool {
    table.largestPage >= .size2MiB && region.isAnonymous && region.start <= block.start
      && region.last.raw - block.start.raw >= UInt(block.size.byteCount) - 1
  }

  /// Promotes the block around a newly filled page to a large page, if enough of it is populated.
  @inlinable
  mutating func promoteIfDense(
    _ page: Page<VirtAddr>, _ region: VirtualRegion, _ frames: inout some CountedFrames & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) {
    // Counting reads 512 entries; every 32nd fill counts, which makes 16 entries per fill.
    guard page.start.tableIndex(level: 0) % 32 == 31 else { return }
    let block = Page(containing: page.start, size: .size2MiB)
    guard canBeLarge(block, region) else { return }
    let bits = UInt64(block.start.raw) & Format.translatedMask
    let (_, level, entry) = table.lowestEntry(bits, downTo: 1)
    guard level == 1, Format.kind(of: entry, level: 1) == .table else { return }
    let below = table.table(entry)
    var populated = 0
    for index in 0..<512 where Format.isPresent(below[index]) {
      populated += 1
    }
    let isSequence = populated >= policy.sequentialCount && isLarge(below: block)
    guard populated >= policy.promotionCount || isSequence else { return }
    promote(block, below, region.permissions, &frames, &tlb)
  }

  /// Whether the next lower block is one large page.
  @inlinable
  func isLarge(below block: Page<VirtAddr>) -> Bool {
    guard let lower = block.start.checkedSubtract(UInt(block.size.byteCount)) else { return false }
    let (_, level, entry) = table.lowestEntry(UInt64(lower.raw) & Format.translatedMask, downTo: 1)
    return level == 1 && Format.kind(of: entry, level: 1) == .leaf
  }

  /// Promotes a block to one large page. Does nothing when a page is shared with another space, when pages differ in
  /// more than permissions and marks, or when a large frame is needed and none is free.
  ///
  /// Adjacent frames, as after a split, are joined in place. Otherwise the existing pages are copied into a large
  /// frame, and its other parts are zeros.
  @inlinable
  mutating func promote(
    _ block: Page<VirtAddr>, _ below: Table, _ permissions: MemPerm, _ frames: inout some CountedFrames & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) {
    var common: PageTableEntry?
    for index in 0..<512 where Format.isPresent(below[index]) {
      if frames.referenceCount(of: Format.frame(of: below[index], level: 0)) != 1 { return }
      let moved = Format.leaf(below[index], movedTo: .null, level: 0)
      let attributes = Format.withoutMarks(Format.leaf(moved, with: permissions))
      if let common, common != attributes { return }
      common = attributes
    }
    guard let common else { return }
    let inPlace = neighbours(in: below)
    guard let frame = inPlace ?? frames.allocate(.size2MiB) else { return }
    // Unlink and flush first: nothing may write to the old pages while they are copied.
    let bits = UInt64(block.start.raw) & Format.translatedMask
    let (upper, _, entry) = table.lowestEntry(bits, downTo: 1)
    let vacant = upper.break(at: slotIndex(bits, level: 1)).flush(TLBFlush(block), using: &tlb)
    if inPlace == nil { gather(below, into: frame, &frames) } else { frames.join(frame, from: .size4KiB) }
    // Marked accessed and dirty: some of its pages were.
    let whole = Format.whole(Format.leaf(common, movedTo: frame.start, level: 0), level: 1)
    vacant.make(Format.marked(whole, dirty: true))
    frames.deallocate(Page(start: Format.address(in: entry)))
    statistics.promotionCount += 1
  }

  /// The large frame that a table's 512 pages fill in order, nil unless they do.
  @inlinable
  func neighbours(in below: Table) -> Page<PhysAddr>? {
    guard Format.isPresent(below[0]),
      let whole = Page(validating: Format.frame(of: below[0], level: 0).start, size: .size2MiB)
    else { return nil }
    for index in 0..<512 {
      let wanted = whole.start + UInt64(index) * 4096
      guard Format.isPresent(below[index]), Format.frame(of: below[index], level: 0).start == wanted else { return nil }
    }
    return whole
  }

  /// Copies the pages of a table into a large frame and releases theirs; missing pages become zeros.
  @inlinable
  func gather(_ below: Table, into frame: Page<PhysAddr>, _ frames: inout some CountedFrames & ~Copyable) {
    let memory = table.mapper.physToVirt(frame.start)
    for index in 0..<512 {
      let target = memory + UInt(index) * 4096
      if Format.isPresent(below[index]) {
        let page = Format.frame(of: below[index], level: 0)
        target.copyBytes(from: table.mapper.physToVirt(covered: page.start), byteCount: 4096)
        _ = frames.release(page)
      } else {
        target.fillWithZeros(byteCount: 4096)
      }
    }
  }

  /// Splits the large page, if any, that crosses an address: a change can then end there.
  @inlinable
  mutating func demotePage(
    across boundary: VirtAddr, _ frames: inout some CountedFrames & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(AddressSpaceError) {
    let bits = UInt64(boundary.raw) & Format.translatedMask
    var (_, level, entry) = table.lowestEntry(bits, downTo: 0)
    while level > 0, Format.kind(of: entry, level: level) == .leaf, bits & (slotByteCount(level) - 1) != 0 {
      let page = Page(containing: boundary, size: Format.pageSize(level: level))
      guard demote(page, isPrivate: region(containing: page.start)?.isPrivate ?? false, &frames, &tlb) else {
        throw .outOfFrames
      }
      (_, level, entry) = table.lowestEntry(bits, downTo: 0)
    }
  }

  /// Splits a large page, and its frame too if the space owns it; false when there is no frame for the table.
  @inlinable
  mutating func demote(
    _ page: Page<VirtAddr>, isPrivate: Bool, _ frames: inout some CountedFrames & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) -> Bool {
    let bits = UInt64(page.start.raw) & Format.translatedMask
    let (_, level, entry) = table.lowestEntry(bits, downTo: page.size.level)
    do throws(MapError) {
      try table.split(page, &frames, &tlb)
    } catch {
      return false
    }
    if isPrivate {
      frames.split(Format.frame(of: entry, level: level), into: Format.pageSize(level: level - 1))
      statistics.demotionCount += 1
    }
    return true
  }

  /// Splits the first large page with untouched parts and frees those parts; returns whether it freed a frame.
  ///
  /// A part counts as untouched when it is all zeros: the program cannot tell it from a page that is not there yet.
  @inlinable
  mutating func reclaimFrames(
    _ frames: inout some CountedFrames & ~Copyable, _ tlb: inout some TLBInvalidator & ~Copyable
  ) -> Bool {
    if policy.mode == .never { return false }
    var next = regions.first
    while let region = next {
      next = regions.first(after: region)
      guard region.isAnonymous else { continue }
      var block = region.start.checkedAlignedUp(to: UInt(PageSize.size2MiB.byteCount))
      while let start = block, start <= region.last {
        if reclaimFrames(of: Page(start: start, size: .size2MiB), &frames, &tlb) { return true }
        block = start.checkedAdd(UInt(PageSize.size2MiB.byteCount))
      }
    }
    return false
  }

  @inlinable
  mutating func reclaimFrames(
    of page: Page<VirtAddr>, _ frames: inout some CountedFrames & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) -> Bool {
    let bits = UInt64(page.start.raw) & Format.translatedMask
    let (upper, level, leaf) = table.lowestEntry(bits, downTo: 1)
    guard level == 1, Format.kind(of: leaf, level: 1) == .leaf else { return false }
    let frame = Format.frame(of: leaf, level: 1)
    let memory = table.mapper.physToVirt(covered: frame.start)
    guard hasTwoZeroParts(memory) else { return false }

    // Unlink, flush and check again: a processor may have written to a zero part in the meantime.
    let broken = upper.break(at: slotIndex(bits, level: 1))
    let old = broken.old
    let vacant = broken.flush(TLBFlush(page), using: &tlb)
    guard hasTwoZeroParts(memory), let first = zeroPart(of: memory, from: 0) else {
      vacant.make(old)
      return false
    }
    frames.split(frame, into: .size4KiB)
    let tableFrame = frame.start + UInt64(first) * 4096
    let below = Table(at: table.mapper.physToVirt(covered: tableFrame))
    for index in 0..<512 where index != first {
      let isZero = (memory + UInt(index) * 4096).isZero(byteCount: 4096)
      let part = Format.part(index, of: old, level: 1)
      if isZero {
        _ = frames.release(Format.frame(of: part, level: 0))
        statistics.reclaimedFrameCount += 1
      } else {
        below.vacant(at: index).make(part)
      }
    }
    vacant.link(Format.tableEntry(tableFrame))
    statistics.demotionCount += 1
    return true
  }

  /// Whether one untouched part can become the table and another can be freed.
  @inlinable
  func hasTwoZeroParts(_ memory: VirtAddr) -> Bool {
    guard let first = zeroPart(of: memory, from: 0) else { return false }
    return zeroPart(of: memory, from: first + 1) != nil
  }

  /// The index of the first all-zero part of the 512, from `start` on.
  @inlinable
  func zeroPart(of memory: VirtAddr, from start: Int) -> Int? {
    for index in start..<512 where (memory + UInt(index) * 4096).isZero(byteCount: 4096) {
      return index
    }
    return nil
  }
}
