internal import Assertions
internal import CLabMalloc
internal import CLabPlatform
internal import HeapBlocks
internal import HeapSpaces
internal import Synchronization
internal import ThreadHeaps

// The rest of the malloc family, off the hottest path.

extension ProcessHeap {
  /// Fails an entry: sets `errno` to `code` and returns the null pointer.
  @inline(never)
  public static func fail(_ code: Int32) -> UInt {
    if code == ENOMEM { ProcessState().fields.refusedCount.wrappingAdd(1, ordering: .relaxed) }
    lab_malloc_errno_set(code)
    return 0
  }

  /// A block of `byteCount` zero bytes, 0 when there is no memory.
  public static func allocateZeroed(_ byteCount: UInt) -> UInt {
    if byteCount > SizeClass.maximumByteCount { return allocateLargeZeroed(byteCount) }
    let block = allocate(byteCount)
    if block != 0 { lab_platform_zero(block, byteCount) }
    return block
  }

  @inline(never)
  private static func allocateLargeZeroed(_ byteCount: UInt) -> UInt {
    guard let heap = enter() else {
      let block = allocateWithoutHeap(byteCount, alignment: 16)
      if block != 0 { lab_platform_zero(block, byteCount) }
      return failIfNull(block)
    }
    defer { leave(heap) }
    return failIfNull(allocateLarge(byteCount, alignment: 16, zeroed: true, from: heap))
  }

  /// The block, or 0 with `errno` set to `ENOMEM` when it is 0.
  public static func failIfNull(_ block: UInt) -> UInt {
    block == 0 ? fail(ENOMEM) : block
  }

  /// A block at a multiple of `alignment`, a power of two.
  public static func allocate(_ byteCount: UInt, alignment: UInt) -> UInt {
    if alignment <= 16 { return allocate(byteCount) }
    if ProcessState().space == 0 {
      // The first allocation of the process, or a textbook policy.
      if let heap = enter() { leave(heap) }
      if TextbookHeap.current != nil { return failIfNull(allocateWithoutHeap(byteCount, alignment: alignment)) }
    }
    // Blocks whose size is a multiple of the alignment are aligned in a span; see SizeClass. Up to a page all blocks of
    // a class lie in spans.
    if alignment <= Granule.pageByteCount, byteCount <= Granule.pageByteCount {
      return allocate(SizeClass.byteCount(byteCount, alignedTo: alignment))
    }
    return allocateAligned(byteCount, alignment: alignment)
  }

  /// The class of an aligned block of more than a page; nil when no class has blocks that large.
  private static func classInArena(_ byteCount: UInt, alignment: UInt) -> SizeClass? {
    guard byteCount <= SizeClass.maximumByteCount, alignment <= SizeClass.maximumByteCount else { return nil }
    return SizeClass(fitting: max(byteCount, Granule.pageByteCount + 1))
  }

  @inline(never)
  private static func allocateAligned(_ byteCount: UInt, alignment: UInt) -> UInt {
    guard byteCount < UInt(Int.max), alignment < UInt(Int.max) else { return fail(ENOMEM) }
    guard let heap = enter() else { return fail(ENOMEM) }
    defer { leave(heap) }
    guard let sizeClass = classInArena(byteCount, alignment: alignment) else {
      return failIfNull(allocateLarge(byteCount, alignment: alignment, from: heap))
    }
    var block = heap.takeFromArena(sizeClass, alignment: alignment)
    if block == 0, reclaim(heap) { block = heap.takeFromArena(sizeClass, alignment: alignment) }
    return failIfNull(Sampling.note(block, sizeClass, alignment: alignment, from: heap))
  }

  /// How many bytes the holder of a block may use.
  @inline(__always)
  public static func usableByteCount(of address: UInt) -> UInt {
    // By the descriptor alone: programs ask for the sizes of blocks that are in no cache. It shows a pointer into a block,
    // and the block that was freed last in its span. Any other free block has its size, too.
    guard let span = descriptor(around: address)?.span, span.use.isSpan, span.mayBeInUse(address) else {
      return usableByteCountChecked(of: address)
    }
    return lab_malloc_block_size(span.sizeClass.index)
  }

  /// The same for any block, by the way that reports misuse.
  @inline(never)
  private static func usableByteCountChecked(of address: UInt) -> UInt {
    if let granule = granule(around: address) {
      if granule.use == .arena { return checkedByteCount(of: address, in: granule.arenaPart) }
      _ = checkedBlock(address, of: granule.span)
      return UInt(granule.span.blockByteCount)
    }
    if isEmergency(address) { return emergencyByteCount(of: address) }
    if let textbook = TextbookHeap.current {
      repairAfterFork()
      return textbook.usableByteCount(of: address)
    }
    // In an interrupted slow path: the interrupted thread may hold a lock that the holder of the mappings' lock waits
    // for.
    guard let heap = enter() else { return 0 }
    defer { leave(heap) }
    let byteCount = MappedBlocks.byteCount(of: address)
    require(byteCount != 0, "size of a pointer that heaplab did not give out", UInt64(address))
    return byteCount
  }

  /// Whether glibc's `mallopt` accepts the parameter and the value. No parameter changes this heap. `M_MXFAST` is the
  /// only one with values that are refused.
  public static func isKnownOption(_ parameter: Int32, _ value: Int32) -> Bool {
    let fastBlockMaximum: Int32 = 160
    return parameter != M_MXFAST || (0...fastBlockMaximum).contains(value)
  }
}
