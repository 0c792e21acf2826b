internal import Addresses
internal import Assertions
package import HeapBlocks
package import HeapSpaces
internal import Synchronization

// A thread heap owns spans and allocates their blocks. One thread at a time works on it, without locks.
//
// Each size class has one *active list*, the blocks to allocate next, all from one span, the class's *current* one.
// `malloc` pops from it. `free` by the same thread pushes onto the *span's* list (BlockSpan.swift) and counts the
// span's event down. When the active list runs out, a few instructions make the current span's whole free list the
// active one; if that is empty, the slow path takes another span. Two lists keep the hot path short: neither side
// counts blocks for the other, and the length of a span's free list is known exactly when it matters. The idea is that
// of the sharded lists of mimalloc (Leijen, Zorn and de Moura 2019) and of the queues of snmalloc. Classes with few
// blocks to a span have a *magazine* instead: they push onto the active list itself (ThreadHeap+Magazines.swift).
//
// A free by another thread goes onto the span's `remote` list, in batches of blocks of one span. The first batch also
// puts the span onto the owner's `incoming` stack for the class. The owner empties that stack when the class's active
// list runs out (ThreadHeap+Remote.swift).

/// A thread heap, by the address of its record.
@frozen
package struct ThreadHeap: Equatable {
  package let address: UInt

  @inlinable @inline(__always)
  package init(address: UInt) { self.address = address }

  /// The distance between records. The fields are shorter: the rest is for the fields of whoever assigns heaps to
  /// threads.
  package static var recordByteCount: UInt { 4096 }

  @inlinable package var fields: ThreadHeapRecord {
    // SAFETY: a heap is made only over a record that its space allocated, and a record is never freed.
    @inline(__always) unsafeAddress { unsafe UnsafePointer(bitPattern: address).unsafelyUnwrapped }
    @inline(__always) nonmutating unsafeMutableAddress {
      unsafe UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped
    }
  }

  package var space: HeapSpace { HeapSpace(address: fields.space) }

  /// A new heap over a node of `space`, nil when there is no room for its record.
  package static func create(over space: HeapSpace, node: UInt8 = 0) -> ThreadHeap? {
    // The compiler knows the answers: nothing of this is left in a library.
    require(
      BySizeClass<UInt8>.count == SizeClass.count && ByLargeClass<UInt8>.count == LargeClass.count,
      "a list must have one element for each class")
    require(OutgoingBatch.count.isPowerOfTwo, "the number of batches must be a power of two")
    require(MemoryLayout<ThreadHeapRecord>.size <= Int(recordByteCount), "a heap's fields must fit its record")
    let record = space.allocateRecord(byteCount: recordByteCount)
    guard record != 0 else { return nil }
    let heap = ThreadHeap(address: record)
    heap.fields.space = space.address
    heap.fields.node = node
    heap.fields.homeArena = space.firstArena(ofNode: node)
    heap.fields.keptArenas = space.arenas(ofNode: node)
    heap.fields.number = UInt32(truncatingIfNeeded: (record - space.fields.base) / recordByteCount)
    space.noteHeap()
    heap.openMagazines()
    heap.limitCache()
    heap.serveFromLists()
    return heap
  }

  /// The heap that owns a span. The span must have an owner.
  package static func owner(of span: BlockSpan, in space: HeapSpace) -> ThreadHeap {
    ThreadHeap(address: space.fields.base + UInt(span.owner) * recordByteCount)
  }

  /// Whether this heap may keep freed blocks of an arena: not those on another memory node.
  @inline(__always)
  package func keeps(_ part: ArenaPart) -> Bool {
    // Without several nodes it keeps those of all arenas, and needs not ask whose this one is.
    fields.keptArenas == .max || fields.keptArenas >> part.fields.arenaNumber & 1 != 0
  }

  /// Whether this heap owns a span that has no samples.
  @inlinable @inline(__always)
  package func ownsUnsampled(_ span: BlockSpan) -> Bool { span.ownerWord == fields.number }

  /// Whether this heap owns a span.
  package func owns(_ span: BlockSpan) -> Bool { span.owner == fields.number }
}

// Active lists and current spans.
extension ThreadHeap {
  /// The first block of a class's active list, 0 for none.
  @inlinable @inline(__always)
  package func active(_ sizeClass: SizeClass) -> UInt {
    // SAFETY: the number of a class is below the count.
    unsafe withAtomic(&fields.active[unchecked: sizeClass.index]) { $0.load(ordering: .relaxed) }
  }

  @inlinable @inline(__always)
  package func setActive(_ sizeClass: SizeClass, _ block: UInt) {
    // SAFETY: the number of a class is below the count.
    unsafe withAtomic(&fields.active[unchecked: sizeClass.index]) { $0.store(block, ordering: .relaxed) }
  }

  /// The granule of a class's current span, 0 for none.
  @inline(__always)
  package func current(_ sizeClass: SizeClass) -> UInt32 {
    // SAFETY: the number of a class is below the count.
    unsafe withAtomic(&fields.current[unchecked: sizeClass.index]) { $0.load(ordering: .relaxed) }
  }

  func setCurrent(_ sizeClass: SizeClass, _ granule: UInt32) {
    withAtomic(&fields.current[sizeClass.index]) { $0.store(granule, ordering: .relaxed) }
  }

  /// Pops a block from the active list, 0 when the list is empty: the hot path.
  @inlinable @inline(__always)
  package func popActive(_ sizeClass: SizeClass) -> UInt {
    let block = FreeBlock(active(sizeClass))
    if block.address == 0 { return 0 }
    setActive(sizeClass, block.next)
    block.markWord = 0
    return block.address
  }

  /// How many blocks are on the active list of a class, all of `span`, its current one.
  ///
  /// Any thread may ask. Meanwhile the heap's own thread may pop blocks, and their holders may write to them. A word
  /// that is not a block of the span, or a block without the mark, ends the count. The span's memory can always be
  /// read.
  package func activeCount(_ sizeClass: SizeClass, in span: BlockSpan) -> UInt {
    let start = space.start(of: span.granule)
    let most = UInt(span.carvedCount)
    var count: UInt = 0
    var block = FreeBlock(active(sizeClass))
    while count < most, block.address &- start < Granule.byteCount, span.glimpseIsBlockStart(block.address) {
      let glimpse = block.glimpse
      guard glimpse.looksFree else { break }
      count += 1
      block = FreeBlock(glimpse.next)
    }
    return count
  }
}
