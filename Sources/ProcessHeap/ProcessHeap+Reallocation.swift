internal import CLabMalloc
internal import CLabPlatform
internal import HeapBlocks
internal import HeapSpaces
internal import ThreadHeaps

// realloc: in place if possible, by moving pages if that is cheaper, otherwise by a copy.

extension ProcessHeap {
  /// A block of `byteCount` bytes with the content of the block at `address`, which is freed.
  ///
  /// With address 0 it allocates; with 0 bytes it frees. When there is no memory it returns 0, and the old block stays.
  public static func reallocate(_ address: UInt, _ byteCount: UInt) -> UInt {
    if address == 0 { return allocate(byteCount) }
    if byteCount == 0 {
      deallocate(address)
      return 0
    }
    if byteCount >= UInt(Int.max) { return fail(ENOMEM) }
    if let granule = granule(around: address) {
      if granule.use == .arena, !granule.arenaPart.isClassBlock(address) {
        return reallocateInArena(address, byteCount, of: granule.arenaPart)
      }
      let usable = usableByteCount(of: address)
      // Not worth moving: the request fits, and at least half of the block stays in use.
      if byteCount <= usable, byteCount > usable / 2 || usable <= 32 { return address }
      return move(address, usable, to: byteCount)
    }
    return reallocateMapped(address, byteCount)
  }

  @inline(never)
  private static func reallocateInArena(_ address: UInt, _ byteCount: UInt, of part: ArenaPart) -> UInt {
    let usable = checkedByteCount(of: address, in: part)
    if byteCount <= usable, byteCount > usable - usable / 8 { return address }
    if byteCount > SizeClass.maximumByteCount, let heap = enter() {
      defer { leave(heap) }
      if heap.space.resizeInArena(address, byteCount: byteCount) {
        // The entry is a new one, and names its class again.
        if heap.space.mayHaveSamples { heap.space.endSample(address) }
        return Sampling.noteLarge(address, from: heap)
      }
      // A block that grows by small steps and cannot grow here will hardly be able to elsewhere. As a mapping it is
      // copied once, and from then on its pages move. For a block that doubles, a copy to memory that is already mapped
      // is cheaper.
      if byteCount >= mappedGrowthByteCount, byteCount > usable, byteCount - usable < usable / 4 {
        let block = MappedBlocks.allocate(byteCount: byteCount, alignment: 16, in: heap.space)
        if block != 0 {
          lab_platform_copy(block, address, usable)
          Sampling.end(address, of: part, in: heap.space)
          heap.deallocateInArena(address)
          return Sampling.noteLarge(block, from: heap)
        }
      }
    }
    // With a sixteenth more, a block that grows by small steps does not move each time.
    let isSmallStep = byteCount > usable && byteCount - usable < usable / 8 && byteCount < arenaMaximumByteCount / 2
    let spare = isSmallStep ? usable / 16 : 0
    return move(address, usable, to: byteCount + spare, or: byteCount)
  }

  /// The size from which a block that cannot grow in place becomes a mapping.
  private static var mappedGrowthByteCount: UInt { 1 << 20 }

  @inline(never)
  private static func reallocateMapped(_ address: UInt, _ byteCount: UInt) -> UInt {
    if let textbook = TextbookHeap.current, !isEmergency(address) {
      repairAfterFork()
      return failIfNull(textbook.reallocate(address, byteCount))
    }
    let usable = usableByteCount(of: address)
    // Without its size it cannot be copied.
    guard usable != 0 else { return fail(ENOMEM) }
    if byteCount > 256 << 10, !isEmergency(address) {
      guard let heap = enter() else { return fail(ENOMEM) }
      Sampling.end(mapping: address, in: heap.space)
      let block = MappedBlocks.resize(address, byteCount: byteCount, in: heap.space)
      _ = Sampling.noteLarge(block, from: heap)
      leave(heap)
      if block != 0 { return block }
    }
    return move(address, usable, to: byteCount)
  }

  /// Moves a block: copies it to a new one and frees it. The new one has `least` bytes when there is no memory for
  /// `byteCount`.
  private static func move(_ address: UInt, _ usable: UInt, to byteCount: UInt, or least: UInt = .max) -> UInt {
    let code = lab_malloc_errno()
    var block = allocate(byteCount)
    if block == 0, least < byteCount {
      lab_malloc_errno_set(code)
      block = allocate(least)
    }
    if block == 0 {
      // A request for fewer bytes never fails.
      guard byteCount <= usable else { return 0 }
      lab_malloc_errno_set(code)
      return address
    }
    lab_platform_copy(block, address, min(usable, byteCount))
    deallocate(address)
    return block
  }
}
