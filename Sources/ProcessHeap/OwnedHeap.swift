internal import Assertions
internal import CLabMalloc
internal import HeapSpaces
internal import Synchronization
internal import ThreadHeaps

/// A thread heap's record as the process keeps it: the heap's own fields, and what the process knows of its thread.
struct OwnedHeapRecord: ~Copyable {
  var heap: ThreadHeapRecord
  /// The heap that was made before this one, 0 for the first. Other threads follow it.
  let older: Atomic<UInt>
  /// The next of the heaps whose threads ended, 0 for none. Under the process's lock.
  var nextEnded: UInt
  /// How often the heap was on a slow path, and how often it passed to a new thread.
  var slowPathCount: UInt
  var adoptionCount: UInt
  /// The kernel's mark that the owning thread lives (`lab_malloc_owner_init`).
  var mark: InlineArray<8, UInt>
}

/// A thread heap of the process, by the address of its record, which is the thread heap's own.
struct OwnedHeap: Equatable {
  let address: UInt

  init(address: UInt) { self.address = address }

  /// The thread heap.
  var heap: ThreadHeap { ThreadHeap(address: address) }

  var fields: OwnedHeapRecord {
    // SAFETY: `create` made sure that the record is as long as this; it is never taken away.
    @inline(__always) unsafeAddress { unsafe UnsafePointer(bitPattern: address).unsafelyUnwrapped }
    @inline(__always) nonmutating unsafeMutableAddress {
      unsafe UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped
    }
  }

  /// A new heap over `space`, nil when there is no room for its record.
  static func create(over space: HeapSpace) -> OwnedHeap? {
    // Known when this is compiled: nothing of it is left in a library.
    require(
      MemoryLayout<OwnedHeapRecord>.size <= Int(ThreadHeap.recordByteCount), "a heap's record must hold its fields")
    require(
      MemoryLayout<OwnedHeapRecord>.size <= Int(LAB_MALLOC_EMPTY_HEAP_BYTE_COUNT), "so must the empty heap's")
    require(
      MemoryLayout<InlineArray<8, UInt>>.size == Int(LAB_MALLOC_OWNER_BYTE_COUNT), "a record must hold its mark")
    return ThreadHeap.create(over: space).map { OwnedHeap(address: $0.address) }
  }

  /// The heap that was made before this one, 0 for the first.
  var older: UInt {
    get { fields.older.load(ordering: .relaxed) }
    nonmutating set { fields.older.store(newValue, ordering: .relaxed) }
  }

  /// Makes the calling thread the owner of a new heap, or of one whose owner fork did not copy; whether it could.
  func setOwner() -> Bool { lab_malloc_owner_init(markAddress) == 0 }

  /// Makes the calling thread the owner of a heap that has none, or whose owner ended; whether it could.
  func claim() -> Bool { lab_malloc_owner_claim(markAddress) == 0 }

  /// Leaves the heap without an owner.
  func release() { lab_malloc_owner_release(markAddress) }

  private var markAddress: UInt {
    // SAFETY: nothing is read or written through the pointer here.
    unsafe withUnsafePointer(to: &fields.mark) { UInt(bitPattern: $0) }
  }
}
