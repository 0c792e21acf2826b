internal import CLabMalloc
internal import HeapBlocks
internal import HeapSpaces
internal import Synchronization
internal import ThreadHeaps

// Samples of the process's live memory: HEAPLAB_SAMPLE, or a word that `heapbench profile` writes from outside. Thread heaps
// decide which requests are samples, and a space keeps them; here a sample gets its stack.
//
// Every slow path compares the word with what its heap does. A thread whose calls all stay on hot paths goes on as
// before until its next slow path, which is at most 256 refills away.

enum Sampling {
  private static var state: ProcessState { ProcessState() }

  /// Makes a heap do what the word says, at the beginning of a slow path.
  @inline(__always)
  static func follow(_ heap: ThreadHeap) {
    let mean = state.fields.sampleMean.load(ordering: .relaxed)
    if mean != heap.sampleMean { follow(heap, mean) }
  }

  @inline(never)
  private static func follow(_ heap: ThreadHeap, _ wanted: UInt) {
    // A reader wrote the word.
    let mean = min(wanted, SampleCountdown.meanMaximum)
    guard mean != heap.sampleMean else { return }
    if heap.space.beginSamples(mean: mean) { heap.sample(every: mean, seed: lab_sample_seed()) }
    // Without memory for the table or the countdowns nothing is sampled, and the next slow path need not try again.
    if heap.sampleMean != mean { state.fields.sampleMean.store(0, ordering: .relaxed) }
  }

  /// Allocates for a sampling heap when no list has a block, or when the request must be counted.
  @inline(__always)
  static func allocate(_ byteCount: UInt, from heap: ThreadHeap) -> UInt {
    if byteCount > UInt(LAB_MALLOC_SIZE_CLASSES_MAXIMUM) { return allocateCounted(byteCount) }
    let sizeClass = ProcessHeap.tabledClass(byteCount)
    let current = heap.current(sizeClass)
    if current != 0 {
      let offset = UInt(current) &* Granule.recordByteCount
      let block = heap.refillBetweenSamples(
        sizeClass, blockByteCount: lab_malloc_block_size(sizeClass.index),
        BlockSpan(address: lab_malloc_space_descriptor(offset)), base: 0 &- lab_malloc_space_negative_base())
      if block != 0 { return block }
    }
    return allocateMissed(byteCount)
  }

  @inline(never)
  private static func allocateMissed(_ byteCount: UInt) -> UInt {
    ProcessHeap.failIfNull(ProcessHeap.allocateMissed(byteCount))
  }

  /// Allocates more than 1 KiB from the thread's lists, and counts the block.
  @inline(never)
  private static func allocateCounted(_ byteCount: UInt) -> UInt {
    let heap = ThreadHeap(address: lab_malloc_heap())
    if byteCount <= SizeClass.maximumByteCount {
      let sizeClass = SizeClass(aboveSteps: byteCount)
      let block = heap.popMagazine(sizeClass)
      if block != 0 {
        return heap.countsSample(sizeClass, lab_malloc_block_size(sizeClass.index))
          ? takeListed(block, byteCount) : block
      }
    } else if byteCount <= LargeClass.maximumByteCount {
      let block = heap.popCached(byteCount)
      if block != 0 {
        return heap.countsSample(byteCount: ThreadHeap.byteCount(ofLarge: block)) ? takeListed(block, byteCount) : block
      }
    }
    return allocateMissed(byteCount)
  }

  /// Takes the sample of a block that came from a list.
  @inline(never)
  private static func takeListed(_ block: UInt, _ byteCount: UInt) -> UInt {
    guard let heap = ProcessHeap.enter() else { return block }
    defer { ProcessHeap.leave(heap) }
    if byteCount > SizeClass.maximumByteCount { return takeLarge(block, from: heap) }
    return take(block, SizeClass(aboveSteps: byteCount), alignment: 16, from: heap)
  }

  /// Counts a block of a class, which a slow path allocated for a sampling heap, and takes its sample if it is one. Returns
  /// the block, or another one in its place.
  static func note(_ block: UInt, _ sizeClass: SizeClass, alignment: UInt = 16, from heap: ThreadHeap) -> UInt {
    guard block != 0, heap.isSampling else { return block }
    let isSample = sizeClass.hasMagazine ? heap.countsSample(sizeClass, sizeClass.blockByteCount) : heap.takeDue()
    return isSample ? take(block, sizeClass, alignment: alignment, from: heap) : block
  }

  /// The same for a block above 32 KiB.
  static func noteLarge(_ block: UInt, from heap: ThreadHeap) -> UInt {
    guard block != 0, heap.isSampling, heap.countsSample(byteCount: byteCount(ofLarge: block, heap.space)) else {
      return block
    }
    return takeLarge(block, from: heap)
  }

  /// How many bytes a block of an arena or a mapping has.
  private static func byteCount(ofLarge block: UInt, _ space: HeapSpace) -> UInt {
    space.granule(around: block) == nil ? MappedBlocks.byteCount(of: block) : ThreadHeap.byteCount(ofLarge: block)
  }

  private static func take(
    _ block: UInt, _ sizeClass: SizeClass, alignment: UInt, from heap: ThreadHeap
  ) -> UInt {
    let space = heap.space
    var block = block
    if space.granuleUnchecked(around: block).use == .arena {
      let other = heap.replaceForSample(block, sizeClass, alignment: alignment)
      if other == 0 {
        space.dropSample()
        return block
      }
      block = other
    }
    guard add(block, sizeClass.blockByteCount, heap) else { return block }
    let granule = space.granuleUnchecked(around: block)
    if granule.use == .arena { granule.arenaPart.hideClass(of: block) } else { granule.span.hasSamples = true }
    return block
  }

  private static func takeLarge(_ block: UInt, from heap: ThreadHeap) -> UInt {
    let space = heap.space
    if add(block, byteCount(ofLarge: block, space), heap), let granule = space.granule(around: block) {
      granule.arenaPart.hideClass(of: block)
    }
    return block
  }

  @inline(never)
  private static func add(_ block: UInt, _ byteCount: UInt, _ heap: ThreadHeap) -> Bool {
    heap.space.addSample(block, byteCount: byteCount, mean: heap.sampleMean) { sample, stack in
      lab_sample_copy_stack(sample.registersAddress, stack, SampleTable.stackByteCount)
    }
  }

  /// Ends the sample of a block of an arena, if it is one, before the block is freed or cached. The block gets its class
  /// back.
  static func end(_ block: UInt, of part: ArenaPart, in space: HeapSpace) {
    guard space.mayHaveSamples, part.entry(of: block).classIndex == LargeClass.none else { return }
    space.endSample(block)
    part.showClass(of: block)
  }

  /// Ends the sample of a mapping, if it is one, before the mapping is freed or moved.
  static func end(mapping block: UInt, in space: HeapSpace) {
    if space.mayHaveSamples { space.endSample(block) }
  }
}
