internal import HeapBlocks
internal import MemoryRegions
internal import Synchronization

// Samples of live memory: which blocks, of how many bytes, since when, and the stacks of the requests for them. A reader
// outside of the process unwinds the stacks and adds the samples up (docs/telemetry.md, "Samples").
//
// The table is one mapping of fixed size, without memory until it is used: a header, the records, chains that lead from
// a granule to the records of its blocks, and a place for each record's stack. An ended sample's record stays for a
// while: the ended ones tell what was allocated lately. Records are reused in the order in which they ended.
//
// How the end of a sample is seen without one instruction in the hot paths:
//
//   - A span with samples has a bit beside its owner's number (`BlockSpan.hasSamples`).
//   - A block of a class without a magazine goes back to its span's list and gets the mark. It can be handed out again
//     only after a refill, a purge or the end of the span. Each of them first ends the samples whose blocks carry it.
//   - The bit makes the other paths beside the hot one refuse the span. So a class with a magazine never gets a sampled
//     block into the magazine unseen.
//   - The entry of an arena's block names no class while the block is a sample: no cache takes it.
//   - A free by another thread comes back through the span's list.

/// The header of the table. Zero bytes are its initial value.
package struct SampleTableRecord: ~Copyable {
  /// The mean number of bytes between two samples, 0 when nothing is sampled.
  package var mean: UInt
  /// How many samples were taken, ended, and not taken for lack of a record or of memory.
  package var takenCount: UInt
  package var endedCount: UInt
  package var droppedCount: UInt
  /// The number behind the highest record in use. Number 0 is no record.
  package var end: UInt
  /// When the youngest sample was taken whose record was used again: samples since then are all there. At first, when
  /// sampling began.
  package var windowMilliseconds: UInt
  /// The ended samples, linked by `next`: the first, the last, and how many they are.
  var firstEnded: UInt32
  var lastEnded: UInt32
  var waitingCount: UInt
}

/// A sample.
package struct SampleRecord: ~Copyable {
  /// Odd while the record changes.
  package var sequence: UInt
  package var address: UInt
  package var byteCount: UInt
  package var milliseconds: UInt
  /// The registers of the frame whose stack was copied, how many bytes were, and the thread.
  package var programCounter: UInt
  package var stackPointer: UInt
  package var framePointer: UInt
  package var stackByteCount: UInt
  package var thread: UInt
  /// Whether the block is in use as far as slow paths know: 1, or 0 after its end.
  package var isLive: UInt
  /// The next record of the chain, or of the ended samples; 0 for none.
  var next: UInt32
}

/// A sample, by the address of its record.
package struct Sample {
  let address: UInt

  package var fields: SampleRecord {
    // SAFETY: a number is below the maximum, so its record lies in the table, which is never unmapped.
    unsafeAddress { unsafe UnsafePointer(bitPattern: address).unsafelyUnwrapped }
    nonmutating unsafeMutableAddress { unsafe UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped }
  }

  /// Where the record has the three registers, the number of the stack's bytes, and the thread.
  package var registersAddress: UInt {
    // SAFETY: only the address of a field is taken.
    unsafe withUnsafePointer(to: &fields.programCounter) { UInt(bitPattern: $0) }
  }
}

/// The table of a space's samples, by its address.
package struct SampleTable {
  package let address: UInt

  /// How many samples there can be, and how many bytes of each one's stack.
  package static var recordMaximum: UInt { 1 << 16 }
  package static var stackByteCount: UInt { 4 << 10 }
  /// The distance between records, and where the parts of the table begin.
  package static var recordStride: UInt { 128 }
  package static var recordsOffset: UInt { 4 << 10 }
  private static var chainsOffset: UInt { recordsOffset + recordMaximum * recordStride }
  package static var stacksOffset: UInt { chainsOffset + recordMaximum * 4 }
  private static var byteCount: UInt { stacksOffset + recordMaximum * stackByteCount }
  /// How many ended samples are kept before their records are used again.
  private static var endedKeptCount: UInt { 256 }

  package init(address: UInt) { self.address = address }

  /// A new table, nil when there is no address space for it.
  static func create() -> SampleTable? {
    guard let address = try? SystemPages.map(byteCount: byteCount) else { return nil }
    // A sample should cost its own page, and not two megabytes around it. A system without huge pages refuses.
    try? SystemPages.advise(address, byteCount: byteCount, .avoidHugePages)
    return SampleTable(address: address)
  }

  package var fields: SampleTableRecord {
    // SAFETY: the mapping is never unmapped.
    unsafeAddress { unsafe UnsafePointer(bitPattern: address).unsafelyUnwrapped }
    nonmutating unsafeMutableAddress { unsafe UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped }
  }

  func sample(_ number: UInt32) -> Sample {
    Sample(address: address + SampleTable.recordsOffset + UInt(number) * SampleTable.recordStride)
  }

  /// The place of a sample's stack.
  private func stack(_ number: UInt32) -> UInt {
    address + SampleTable.stacksOffset + UInt(number) * SampleTable.stackByteCount
  }

  /// The first sample of the chain for the granule around a block, 0 for none.
  private subscript(chainAround block: UInt) -> UInt32 {
    get {
      // SAFETY: the place lies in the table.
      unsafe UnsafePointer<UInt32>(bitPattern: chainAddress(block)).unsafelyUnwrapped.pointee
    }
    nonmutating set {
      // SAFETY: as above.
      unsafe UnsafeMutablePointer<UInt32>(bitPattern: chainAddress(block)).unsafelyUnwrapped.pointee = newValue
    }
  }

  private func chainAddress(_ block: UInt) -> UInt {
    address + SampleTable.chainsOffset + block / Granule.byteCount % SampleTable.recordMaximum * 4
  }

  /// Forgets all samples and begins anew.
  func reset(mean: UInt, now: UInt) {
    if fields.end > 1 {
      for number in 1..<UInt32(fields.end) { sample(number).fields.isLive = 0 }
      for index in 0..<SampleTable.recordMaximum { self[chainAround: index * Granule.byteCount] = 0 }
    }
    fields.takenCount = 0
    fields.endedCount = 0
    fields.droppedCount = 0
    fields.end = 1
    fields.windowMilliseconds = now
    fields.firstEnded = 0
    fields.lastEnded = 0
    fields.waitingCount = 0
    fields.mean = mean
  }

  /// The number of a record for a new sample, 0 when all are in use.
  private func takeRecord() -> UInt32 {
    let hasFresh = fields.end < SampleTable.recordMaximum
    if hasFresh, fields.waitingCount <= SampleTable.endedKeptCount {
      fields.end += 1
      return UInt32(fields.end - 1)
    }
    let number = fields.firstEnded
    guard number != 0 else { return 0 }
    fields.firstEnded = sample(number).fields.next
    fields.waitingCount -= 1
    fields.windowMilliseconds = max(fields.windowMilliseconds, sample(number).fields.milliseconds)
    return number
  }

  /// Adds a sample. `copy` fills in the stack: it gets the sample and the address of the stack's place.
  func add(_ block: UInt, byteCount: UInt, now: UInt, _ copy: (Sample, UInt) -> Void) -> Bool {
    let number = takeRecord()
    guard number != 0 else {
      fields.droppedCount += 1
      return false
    }
    let sample = sample(number)
    // Acquire pairs with a reader's system calls: an even number frames what is whole.
    withAtomic(&sample.fields.sequence) { _ = $0.wrappingAdd(1, ordering: .acquiring) }
    sample.fields.address = block
    sample.fields.byteCount = byteCount
    sample.fields.milliseconds = now
    copy(sample, stack(number))
    sample.fields.isLive = 1
    sample.fields.next = self[chainAround: block]
    self[chainAround: block] = number
    // Release pairs with a reader's system calls, as above.
    withAtomic(&sample.fields.sequence) { _ = $0.wrappingAdd(1, ordering: .releasing) }
    fields.takenCount += 1
    return true
  }

  /// Ends the samples in the granule around `block` for which `isEnded` holds. Returns how many others the granule has.
  func end(around block: UInt, _ isEnded: (UInt) -> Bool) -> UInt {
    let granule = block / Granule.byteCount
    var keptCount: UInt = 0
    var before: UInt32 = 0
    var number = self[chainAround: block]
    while number != 0 {
      let next = sample(number).fields.next
      let address = sample(number).fields.address
      if address / Granule.byteCount == granule, isEnded(address) {
        if before == 0 { self[chainAround: block] = next } else { sample(before).fields.next = next }
        noteEnded(number)
      } else {
        if address / Granule.byteCount == granule { keptCount += 1 }
        before = number
      }
      number = next
    }
    return keptCount
  }

  private func noteEnded(_ number: UInt32) {
    sample(number).fields.isLive = 0
    sample(number).fields.next = 0
    if fields.firstEnded == 0 {
      fields.firstEnded = number
    } else {
      sample(fields.lastEnded).fields.next = number
    }
    fields.lastEnded = number
    fields.waitingCount += 1
    fields.endedCount += 1
  }
}
