internal import Addresses
internal import FirstFitHeap
package import HeapBlocks
package import HeapSpaces

// Which requests are samples, without an instruction in the hot paths.
//
// A class without a magazine: the hot path pops the active list, and a refill knows how many blocks it put there. It cuts
// the list where the next point of the Poisson process falls. That very request then finds the list empty, becomes a
// refill, and its block is the sample. What was cut off waits on the span's list. While a heap samples, `refillCounts`
// stands at its last value: `refillFromCurrent` leaves every refill to the paths here.
//
// Larger blocks: `magazineMaximum` and `listedMaximum` are 0 while a heap samples: every request comes by here and is
// counted.

extension ThreadHeap {
  var countdown: SampleCountdown {
    // SAFETY: asked for only where `fields.countdown` is the number of a record of the space.
    unsafeAddress { unsafe UnsafePointer(bitPattern: countdownAddress(space.fields.base)).unsafelyUnwrapped }
    nonmutating unsafeMutableAddress {
      unsafe UnsafeMutablePointer(bitPattern: countdownAddress(space.fields.base)).unsafelyUnwrapped
    }
  }

  /// Where the countdowns lie, in the space that begins at `base`.
  @inline(__always)
  private func countdownAddress(_ base: UInt) -> UInt {
    base &+ UInt(fields.countdown.magnitude) &* ThreadHeap.recordByteCount
  }

  /// Whether the heap takes samples.
  @inline(__always)
  package var isSampling: Bool { fields.countdown > 0 }

  /// The mean number of bytes between two samples, 0 when the heap takes none.
  @inline(__always)
  package var sampleMean: UInt { isSampling ? countdown.mean : 0 }

  /// The largest requests that magazines, and that they or the cache serve.
  @inline(__always)
  package var magazineMaximum: UInt { fields.magazineMaximum }
  @inline(__always)
  package var listedMaximum: UInt { fields.listedMaximum }

  /// Lets magazines and the cache serve requests.
  func serveFromLists() {
    fields.magazineMaximum = SizeClass.maximumByteCount
    fields.listedMaximum = LargeClass.maximumByteCount
  }

  /// Makes the heap take a sample every `mean` bytes on average; with 0 none. Without memory for the countdowns it takes
  /// none.
  package func sample(every mean: UInt, seed: UInt) {
    if mean == 0 {
      fields.countdown = -fields.countdown
      return serveFromLists()
    }
    if fields.countdown == 0 {
      let record = space.allocateRecord(byteCount: ThreadHeap.recordByteCount)
      guard record != 0 else { return }
      fields.countdown = Int32((record - space.fields.base) / ThreadHeap.recordByteCount)
    }
    fields.countdown = Int32(fields.countdown.magnitude)
    countdown.begin(mean: mean, seed: seed)
    fields.magazineMaximum = 0
    fields.listedMaximum = 0
    for index in 0..<SizeClass.firstWithMagazine { fields.refillCounts[index] = .max }
  }

  /// Whether the block of the last refill is a sample.
  package func takeDue() -> Bool {
    defer { countdown.isDue = false }
    return countdown.isDue
  }

  /// Counts a block of a class with a magazine, and returns whether it is a sample.
  @inline(__always)
  package func countsSample(_ sizeClass: SizeClass, _ blockByteCount: UInt) -> Bool {
    // SAFETY: the number of a class is below the count.
    let due = unsafe countdown.due[unchecked: sizeClass.index] &- Int(bitPattern: blockByteCount)
    // SAFETY: as above.
    unsafe countdown.due[unchecked: sizeClass.index] = due > 0 ? due : countdown.draw()
    return due <= 0
  }

  /// The same for a larger block.
  @inline(__always)
  package func countsSample(byteCount: UInt) -> Bool {
    let due = countdown.largeDue &- Int(truncatingIfNeeded: min(byteCount, UInt(Int.max)))
    countdown.largeDue = due > 0 ? due : countdown.draw()
    return due <= 0
  }

  /// Makes the free list of `span`, the class's current one, the active list and pops a block. 0 for a refill that needs the
  /// slow path: the list is empty, the next point falls into it, or it may have freed samples. Every 256th does anyway.
  /// - Parameter base: Where the heap's space begins.
  @inline(__always)
  package func refillBetweenSamples(
    _ sizeClass: SizeClass, blockByteCount: UInt, _ span: BlockSpan, base: UInt
  ) -> UInt {
    // SAFETY: a sampling heap has the record.
    let countdown = unsafe UnsafeMutablePointer<SampleCountdown>(bitPattern: countdownAddress(base)).unsafelyUnwrapped
    let block = FreeBlock(span.free)
    let target = span.target
    let byteCount = Int(target &- span.pending) &* Int(bitPattern: blockByteCount)
    // SAFETY: as above; the number of a class is below the count.
    let left = unsafe countdown.pointee.due[unchecked: sizeClass.index] &- byteCount
    // SAFETY: as above.
    let refillCount = unsafe countdown.pointee.refillCount &+ 1
    // SAFETY: as above.
    unsafe countdown.pointee.refillCount = refillCount
    guard block.address != 0, left > 0, !span.hasSamples, refillCount != 0 else { return 0 }
    // SAFETY: as above.
    unsafe countdown.pointee.due[unchecked: sizeClass.index] = left
    // SAFETY: as above.
    unsafe fields.refillCounts[unchecked: sizeClass.index] = .max
    span.free = 0
    span.pending = target
    setActive(sizeClass, block.next)
    block.markWord = 0
    return block.address
  }

  /// Notes that a span's free list becomes the active one.
  func noteActivated(_ span: BlockSpan) {
    countdown.loadedCount += span.freeCount
    if span.hasSamples { space.endFreedSamples(of: span) }
  }

  /// Cuts the active list of a class, whose first block was popped, where the next point falls.
  func cut(_ sizeClass: SizeClass) {
    fields.refillCounts[sizeClass.index] = .max
    let size = Int(bitPattern: sizeClass.blockByteCount)
    // An adopted heap had blocks on its list, which were counted.
    guard countdown.loadedCount > 0 else { return }
    var due = countdown.due[sizeClass.index]
    countdown.isDue = due <= size
    due = due <= size ? countdown.draw() : due - size
    let restCount = countdown.loadedCount - 1
    if due > restCount * size {
      countdown.due[sizeClass.index] = due - restCount * size
      return
    }
    let keptCount = (due - 1) / size
    countdown.due[sizeClass.index] = due - keptCount * size
    keepActive(keptCount, of: restCount, sizeClass)
  }

  /// Keeps the first blocks of an active list, all of the class's current span, and puts the others onto the span's.
  private func keepActive(_ keptCount: Int, of count: Int, _ sizeClass: SizeClass) {
    var others = active(sizeClass)
    if keptCount == 0 {
      setActive(sizeClass, 0)
    } else {
      var last = FreeBlock(others)
      for _ in 1..<keptCount { last = FreeBlock(last.next) }
      others = last.next
      last.next = 0
    }
    let span = space.span(current(sizeClass))
    span.free = others
    awaitEmpty(span, sizeClass, freeCount: count - keptCount)
  }
}

// Blocks of arenas as samples.
extension ThreadHeap {
  /// A block for a sample in place of one of at most 32 KiB of an arena, which goes back: nothing of that block keeps it out
  /// of magazines. It is one of a span, or a larger one of an arena where the alignment asks for that. 0 when there is no
  /// memory; then the block stays.
  package func replaceForSample(_ block: UInt, _ sizeClass: SizeClass, alignment: UInt) -> UInt {
    let other =
      alignment <= BlockLayout.granuleByteCount
      ? takeSpanBlock(sizeClass)
      : space.allocateInArena(
        byteCount: SizeClass.maximumByteCount + 1, alignment: alignment, home: &fields.homeArena)
    if other != 0 { putBack(FreeBlock(block), sizeClass) }
    return other
  }

  /// How many bytes a block above 32 KiB of an arena has.
  package static func byteCount(ofLarge block: UInt) -> UInt { FirstFitHeap.blockByteCount(of: VirtAddr(block)) }
}
