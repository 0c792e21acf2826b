internal import CLabMalloc
internal import Assertions

// The rest of the malloc family: what is not on the hottest path.

extension ProcessHeap {
  /// Fails an entry: sets `errno` to `code` and gives the null pointer.
  @inline(never)
  public static func fail(_ code: Int32) -> UInt {
    lab_malloc_errno_set(code)
    return 0
  }

  /// A block of `byteCount` zero bytes, or 0 when there is no memory.
  public static func allocateZeroed(_ byteCount: UInt) -> UInt {
    if byteCount > SizeClass.maximumByteCount { return allocateLargeZeroed(byteCount) }
    let block = allocate(byteCount)
    if block != 0 { lab_malloc_bytes_zero(CUnsignedLong(block), CUnsignedLong(byteCount)) }
    return block
  }

  @inline(never)
  private static func allocateLargeZeroed(_ byteCount: UInt) -> UInt {
    guard let heap = enter() else {
      let block = allocateWithoutHeap(byteCount, alignment: 16)
      if block != 0 { lab_malloc_bytes_zero(CUnsignedLong(block), CUnsignedLong(byteCount)) }
      return failIfNull(block)
    }
    defer { leave(heap) }
    return failIfNull(allocateLarge(byteCount, alignment: 16, zeroed: true, from: heap))
  }

  static func failIfNull(_ block: UInt) -> UInt {
    block == 0 ? fail(ENOMEM) : block
  }

  /// A block at a multiple of `alignment`, a power of two.
  public static func allocate(_ byteCount: UInt, alignment: UInt) -> UInt {
    if alignment <= 16 { return allocate(byteCount) }
    if ProcessState().space == 0 {
      // The first allocation of all, or a textbook policy.
      if let heap = enter() { leave(heap) }
      if TextbookHeap.current != nil { return failIfNull(allocateWithoutHeap(byteCount, alignment: alignment)) }
    }
    // A span's blocks of a size that is a multiple of the alignment are aligned; see SizeClass.
    if alignment <= SizeClass.maximumByteCount, byteCount <= SizeClass.maximumByteCount {
      return allocate((max(byteCount, 1) &+ alignment &- 1) & ~(alignment &- 1))
    }
    return allocateAligned(byteCount, alignment: alignment)
  }

  @inline(never)
  private static func allocateAligned(_ byteCount: UInt, alignment: UInt) -> UInt {
    guard byteCount < UInt(Int.max), alignment < UInt(Int.max) else { return fail(ENOMEM) }
    guard let heap = enter() else { return fail(ENOMEM) }
    defer { leave(heap) }
    return failIfNull(allocateLarge(byteCount, alignment: alignment, from: heap))
  }

  /// How many bytes the holder of a block may use.
  public static func usableByteCount(of address: UInt) -> UInt {
    if let span = span(of: address) {
      if span.kind == .arena {
        return ArenaEntry(at: checkedSlot(address, of: span)).byteCount
      }
      _ = checkedBlock(address, of: span)
      return UInt(span.fields.blockByteCount)
    }
    if isEmergency(address) { return UInt(lab_malloc_word(CUnsignedLong(address - 16))) }
    if let textbook = TextbookHeap.current {
      repairAfterFork()
      return textbook.usableByteCount(of: address)
    }
    // In an interrupted slow path, which may hold a lock that who holds the mappings' waits for.
    guard let heap = enter() else { return 0 }
    defer { leave(heap) }
    let byteCount = MappedBlocks.byteCount(of: address)
    require(byteCount != 0, "size of a pointer that heaplab did not give out", UInt64(address))
    return byteCount
  }

  /// A block with the content of the one at `address`, of `byteCount` bytes; that one is then no more.
  ///
  /// A block of 0 bytes frees; a block for 0 allocates. When there is no memory, 0, and the block stays.
  public static func reallocate(_ address: UInt, _ byteCount: UInt) -> UInt {
    if address == 0 { return allocate(byteCount) }
    if byteCount == 0 {
      deallocate(address)
      return 0
    }
    if byteCount >= UInt(Int.max) { return fail(ENOMEM) }
    if let span = span(of: address) {
      if span.kind == .arena { return reallocateInArena(address, byteCount, of: span) }
      _ = checkedBlock(address, of: span)
      let usable = UInt(span.fields.blockByteCount)
      // Not worth moving: it fits, and at least half of it stays in use.
      if byteCount <= usable, byteCount > usable / 2 || usable <= 32 { return address }
      return move(address, usable, to: byteCount)
    }
    return reallocateMapped(address, byteCount)
  }

  @inline(never)
  private static func reallocateInArena(_ address: UInt, _ byteCount: UInt, of span: Span) -> UInt {
    let slot = checkedSlot(address, of: span)
    let usable = ArenaEntry(at: slot).byteCount
    if byteCount <= usable, byteCount > usable - usable / 8 { return address }
    if byteCount > SizeClass.maximumByteCount, let heap = enter() {
      defer { leave(heap) }
      if heap.space.resizeInArena(address, byteCount: byteCount) { return address }
      // A block that grows by small steps and cannot do so here will hardly do so elsewhere: as a mapping it moves once,
      // and then its pages do. One that doubles is better off with a move, which finds memory that is mapped already.
      if byteCount >= mappedGrowthByteCount, byteCount > usable, byteCount - usable < usable / 4 {
        let block = MappedBlocks.allocate(byteCount: byteCount, alignment: 16)
        if block != 0 {
          lab_malloc_bytes_copy(CUnsignedLong(block), CUnsignedLong(address), CUnsignedLong(usable))
          heap.space.deallocateInArena(address, slot: slot)
          return block
        }
      }
    }
    // With a sixteenth more, so that a block that grows by little at a time does not move each time.
    let isSmallStep = byteCount > usable && byteCount - usable < usable / 8 && byteCount < arenaMaximumByteCount / 2
    let spare = isSmallStep ? usable / 16 : 0
    return move(address, usable, to: byteCount + spare, or: byteCount)
  }

  /// From which size on a block that grows and cannot do so in place becomes a mapping.
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
      let block = MappedBlocks.resize(address, byteCount: byteCount)
      leave(heap)
      if block != 0 { return block }
    }
    return move(address, usable, to: byteCount)
  }

  /// Copies a block to a new one and frees it.
  private static func move(_ address: UInt, _ usable: UInt, to byteCount: UInt) -> UInt {
    move(address, usable, to: byteCount, or: byteCount)
  }

  /// The same, to one of `least` bytes when there is no memory for as many as are wanted.
  private static func move(_ address: UInt, _ usable: UInt, to byteCount: UInt, or least: UInt) -> UInt {
    let code = lab_malloc_errno()
    var block = allocate(byteCount)
    if block == 0, least < byteCount {
      lab_malloc_errno_set(code)
      block = allocate(least)
    }
    if block == 0 {
      // To ask for less never fails.
      guard byteCount <= usable else { return 0 }
      lab_malloc_errno_set(code)
      return address
    }
    lab_malloc_bytes_copy(CUnsignedLong(block), CUnsignedLong(address), CUnsignedLong(min(usable, byteCount)))
    deallocate(address)
    return block
  }

  /// Gives back at once what can be given back; whether there was any.
  public static func trim() -> Bool {
    guard let heap = enter() else { return false }
    defer { leave(heap) }
    let had = heap.fields.pace.freedByteCount != 0 || heap.cacheByteCount != 0
    heap.purgeAll()
    return had
  }

  /// Whether glibc's `mallopt` takes the parameter and the value: of these, none changes this heap.
  public static func isKnownOption(_ parameter: Int32, _ value: Int32) -> Bool {
    switch parameter {
    case 1: value >= 0 && value <= 160
    case -1, -2, -3, -4, -5, -6, -7, -8: true
    default: true
    }
  }
}
