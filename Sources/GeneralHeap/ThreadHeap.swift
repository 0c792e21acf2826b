internal import CLabMalloc
internal import Synchronization

// A thread heap owns spans and hands out their blocks; one thread at a time works on it, without atomics and locks.
//
// For each size class there is one *active list*, the blocks to hand out next, all of one span, the class's *current*
// one. `malloc` pops from it. `free` by the same thread pushes onto the *span's* list (Span.swift) and counts the
// span's event down. When the active list runs out, the slow path makes the current span's free list the active
// one, whole, in a few instructions; else it takes another span. Splitting the two lists is what keeps the hot path
// short: neither side counts blocks for the other, and a span's free list is known to the last block when it matters
// (the same idea as the sharded lists of mimalloc, Leijen, Zorn and de Moura 2019, and the queues of snmalloc). Classes
// with few blocks to a span push onto the active list itself (ThreadHeap+Stacks.swift).
//
// A free by another thread goes onto the span's `remote` list, in batches of blocks of one span; the first batch
// also puts the span onto its class's `incoming` stack of the owner, who empties it when that active list runs out
// (ThreadHeap+Remote.swift).

/// The fields of a thread heap, 4 KiB apart from the next one's.
struct ThreadHeapRecord: ~Copyable {
  /// The active lists, by size class. First, so that the hot path reaches them with one index.
  var active = InlineArray<80, UInt>(repeating: 0)
  /// The current span's granule by size class, 0 for none.
  var current = InlineArray<80, UInt32>(repeating: 0)
  /// The first span with blocks to give, by size class, 0 for none.
  var available = InlineArray<80, UInt32>(repeating: 0)
  /// How often a class has run out, modulo 256; of a class with a stack, how many blocks that may hold.
  var refillCounts = InlineArray<80, UInt8>(repeating: 0)
  /// The space the spans come from.
  var space: UInt = 0
  /// The heap that was made before this one, 0 for the first.
  var olderHeap: UInt = 0
  /// Empty spans at hand, linked by `next`, and how many.
  var idleSpan: UInt32 = 0
  var idleCount: UInt32 = 0
  /// Spans with new remote blocks, a stack for each size class; how many of them became complete, and the
  /// bytes of spans that other heaps claimed. Atomic; on cache lines of their own.
  var padding = InlineArray<8, UInt>(repeating: 0)
  var incoming = InlineArray<80, UInt32>(repeating: 0)
  let completeCount = Atomic<Int>(0)
  let claimedByteCount = Atomic<UInt>(0)
  var padding2 = InlineArray<6, UInt>(repeating: 0)
  /// The blocks in the cache, by class, how many bytes more it may hold and how many at most (ThreadHeap+Cache.swift).
  var cached = InlineArray<112, UInt>(repeating: 0)
  var cacheRoom = 0
  var cacheLimit: UInt = 0
  /// How many blocks more the stacks may hold, by size class (ThreadHeap+Stacks.swift).
  var stackRooms = InlineArray<80, Int16>(repeating: 0)
  /// The bytes of its spans' pages that are not absent, and how often it was on a slow path.
  var heldByteCount: UInt = 0
  var slowCount: UInt = 0
  /// When to give memory of its spans back.
  var pace = PurgePace()
  /// Blocks on their way to other heaps, by span (ThreadHeap+Remote.swift).
  var outgoing = InlineArray<64, OutgoingBatch>(repeating: OutgoingBatch())
  /// The heap that blocks were given back to last, 0 for none.
  var receiver: UInt = 0
  /// How often the heap passed from an ended thread to a new one.
  var adoptionCount: UInt = 0
  /// By how many bytes of blocks the stacks may hold more than at first.
  var stackGrownByteCount: UInt = 0
  /// The kernel's mark that the owning thread lives (`lab_malloc_owner_init`).
  var mark = InlineArray<8, UInt>(repeating: 0)

  init() {}
}

/// A thread heap, by the address of its record.
@frozen
@usableFromInline
struct ThreadHeap: Equatable {
  @usableFromInline let address: UInt

  @inlinable @inline(__always)
  init(address: UInt) { self.address = address }

  /// How far apart records lie.
  static var recordByteCount: UInt { 4096 }

  /// Where `incoming` and `mark` lie in the record.
  static var incomingOffset: UInt { 1448 }
  static var cachedOffset: UInt { 1832 }
  static var stackRoomsOffset: UInt { 2744 }
  static var outgoingOffset: UInt { 2960 }
  static var markOffset: UInt { 4008 }

  var fields: ThreadHeapRecord {
    // SAFETY: a heap is made only over a record that its space gave out, and never taken away.
    @inline(__always) unsafeAddress { unsafe UnsafePointer(bitPattern: address).unsafelyUnwrapped }
    @inline(__always) nonmutating unsafeMutableAddress {
      unsafe UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped
    }
  }

  var space: HeapSpace { HeapSpace(address: fields.space) }

  /// A new heap over `space`, nil when there is no room for its record.
  static func create(over space: HeapSpace) -> ThreadHeap? {
    let record = space.allocateRecord(byteCount: recordByteCount)
    guard record != 0 else { return nil }
    let heap = ThreadHeap(address: record)
    heap.fields.space = space.address
    heap.openStacks()
    return heap
  }

  /// The head of the active list of a class.
  @inlinable @inline(__always)
  func activeSlot(_ sizeClass: SizeClass) -> UnsafeMutablePointer<UInt> {
    // SAFETY: `active` is the record's first field, and a class's number is below its count.
    unsafe UnsafeMutablePointer<UInt>(bitPattern: address).unsafelyUnwrapped + sizeClass.index
  }

  /// The current span's granule of a class.
  @inline(__always)
  func currentSlot(_ index: Int) -> UnsafeMutablePointer<UInt32> {
    // SAFETY: `current` follows `active` in the record, 640 bytes into it.
    unsafe UnsafeMutablePointer<UInt32>(bitPattern: address &+ 640).unsafelyUnwrapped + index
  }

  /// How often a class has run out.
  @inline(__always)
  func refillCountSlot(_ index: Int) -> UnsafeMutablePointer<UInt8> {
    // SAFETY: `refillCounts` lies 1,280 bytes into the record.
    unsafe UnsafeMutablePointer<UInt8>(bitPattern: address &+ 1280).unsafelyUnwrapped + index
  }

  /// Pops a block off the active list, 0 when that is empty: the hot path.
  @inlinable @inline(__always)
  func popActive(_ sizeClass: SizeClass) -> UInt {
    let slot = unsafe activeSlot(sizeClass)
    let block = unsafe FreeBlock(slot.pointee)
    if block.address == 0 { return 0 }
    unsafe slot.pointee = block.next
    block.markWord = 0
    return block.address
  }

  /// Takes back a block of a span of this heap: the hot path. Returns whether the span's event is due.
  @inlinable @inline(__always)
  func push(_ block: FreeBlock, onto span: Span) -> Bool {
    // The count first: what a signal handler does in between, which takes the whole list, can at worst make the span seem
    // to have a live block more.
    span.fields.pending &-= 1
    let isDue = span.fields.pending == 0
    block.next = span.fields.free
    block.markWord = FreeBlock.mark
    span.fields.free = block.address
    return isDue
  }

  /// Whether `address` is the start of a block of `span` that may be in use.
  @inlinable @inline(__always)
  static func isBlockStart(_ address: UInt, of span: Span) -> Bool {
    let offset = UInt32(UInt16(truncatingIfNeeded: address))
    return offset &* span.fields.reciprocal < span.fields.reciprocalBound
  }

  /// Whether `address` is the start of a block of `span`, also when blocks of it are absent after a purge.
  static func isAnyBlockStart(_ address: UInt, of span: Span) -> Bool {
    let offset = UInt32(UInt16(truncatingIfNeeded: address))
    return offset &* span.fields.reciprocal < span.fields.reciprocal
  }
}
