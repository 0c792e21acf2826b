internal import HeapBlocks
internal import Synchronization

// The samples of a space: SampleTable under its lock. The lock is the innermost one.

extension HeapSpace {
  private var samples: SampleTable? {
    // Acquire pairs with the release in `beginSamples`: the table's header is seen.
    let address = fields.samples.load(ordering: .acquiring)
    return address == 0 ? nil : SampleTable(address: address)
  }

  /// Whether there ever was a sample.
  package var mayHaveSamples: Bool { fields.samples.load(ordering: .relaxed) != 0 }

  /// Begins to sample every `mean` bytes on average, or ends it if that is 0. A change forgets all samples. Returns
  /// whether there is a table.
  package func beginSamples(mean: UInt) -> Bool {
    guard fields.sampleLock.acquire(fields.hooks.wait) else { return false }
    defer { fields.sampleLock.release() }
    if let samples {
      if samples.fields.mean != mean { samples.reset(mean: mean, now: milliseconds) }
      return true
    }
    guard mean != 0, let table = SampleTable.create() else { return mean == 0 }
    table.reset(mean: mean, now: milliseconds)
    // Release pairs with the acquire above.
    fields.samples.store(table.address, ordering: .releasing)
    return true
  }

  /// Adds a block to the samples; false when there is no room, or another mean by now.
  package func addSample(
    _ block: UInt, byteCount: UInt, mean: UInt, _ copy: (Sample, UInt) -> Void
  ) -> Bool {
    guard let samples, fields.sampleLock.acquire(fields.hooks.wait) else { return false }
    defer { fields.sampleLock.release() }
    guard samples.fields.mean == mean else { return false }
    return samples.add(block, byteCount: byteCount, now: milliseconds, copy)
  }

  /// Counts a sample that could not be taken.
  package func dropSample() {
    guard let samples, fields.sampleLock.acquire(fields.hooks.wait) else { return }
    samples.fields.droppedCount += 1
    fields.sampleLock.release()
  }

  /// Ends the sample of a block, if it is one, when the block is freed.
  package func endSample(_ block: UInt) { _ = endSamples(around: block) { $0 == block } }

  /// Ends the sample of a block of a span with samples, on the owner's thread.
  package func endSample(_ block: UInt, of span: BlockSpan) {
    span.hasSamples = endSamples(around: block) { $0 == block } != 0
  }

  /// Ends the samples of a span whose blocks carry the mark, on the owner's thread, before the blocks are handed out
  /// again or lose it. A program that copied the mark into a block in use loses a sample.
  package func endFreedSamples(of span: BlockSpan) {
    span.hasSamples = endSamples(around: start(of: span.granule)) { FreeBlock($0).looksFree } != 0
  }

  /// Ends all samples of a span without a block in use.
  package func endSamples(of span: BlockSpan) {
    span.hasSamples = endSamples(around: start(of: span.granule)) { _ in true } != 0
  }

  private func endSamples(around block: UInt, _ isEnded: (UInt) -> Bool) -> UInt {
    guard let samples, fields.sampleLock.acquire(fields.hooks.wait) else { return 0 }
    defer { fields.sampleLock.release() }
    return samples.end(around: block, isEnded)
  }

  /// Forgets samples that another thread was changing when this process was forked from its parent.
  package func abandonSamples() {
    if let samples { samples.reset(mean: samples.fields.mean, now: milliseconds) }
  }
}

extension ArenaPart {
  /// Makes the entry of a block name no class: no cache takes the block. `showClass(of:)` undoes that. Only the holder of
  /// the block may call this: the entry is a word of its own.
  package func hideClass(of address: UInt) {
    let entry = entry(of: address)
    let hidden = UInt(bitPattern: LargeClass.none) << ArenaEntry.classShift
    replace(address, with: ArenaEntry(word: entry.word & ~hidden | hidden))
  }

  package func showClass(of address: UInt) { replace(address, with: ArenaEntry(of: address)) }
}
