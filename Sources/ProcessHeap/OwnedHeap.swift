internal import Assertions
internal import CLabMalloc
internal import HeapSpaces
internal import Synchronization
internal import ThreadHeaps

/// A thread heap's record in the process: the heap's own fields, and those about its thread.
struct OwnedHeapRecord: ~Copyable {
  var heap: ThreadHeapRecord
  /// The heap that was made before this one, 0 for the first. Other threads read it.
  let older: Atomic<UInt>
  /// The next heap whose thread ended, 0 for none. Under the process's lock.
  var nextEnded: UInt
  /// How many slow paths ran on the heap, and how many threads began on it.
  var slowPathCount: UInt
  var adoptionCount: UInt
  /// The kernel's sign that the owning thread lives (`lab_malloc_owner_init`).
  var mark: OwnerMark
}

/// A thread heap of the process, by the address of its record, which is also the thread heap's.
struct OwnedHeap: Equatable {
  let address: UInt

  init(address: UInt) { self.address = address }

  /// The thread heap.
  var heap: ThreadHeap { ThreadHeap(address: address) }

  var fields: OwnedHeapRecord {
    // SAFETY: `create` ensured that the record has room for these fields; a record is never freed.
    @inline(__always) unsafeAddress { unsafe UnsafePointer(bitPattern: address).unsafelyUnwrapped }
    @inline(__always) nonmutating unsafeMutableAddress {
      unsafe UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped
    }
  }

  /// A new heap over a node of `space`, nil when there is no room for its record.
  static func create(over space: HeapSpace, node: UInt8 = 0) -> OwnedHeap? {
    // The compiler knows the answers: nothing of this is left in a library.
    require(
      MemoryLayout<OwnedHeapRecord>.size <= Int(ThreadHeap.recordByteCount), "a heap's record must hold its fields")
    require(
      MemoryLayout<OwnedHeapRecord>.size <= Int(LAB_MALLOC_EMPTY_HEAP_BYTE_COUNT), "so must the empty heap's")
    require(
      MemoryLayout<OwnerMark>.size == Int(LAB_MALLOC_OWNER_BYTE_COUNT), "a record must hold its mark")
    return ThreadHeap.create(over: space, node: node).map { OwnedHeap(address: $0.address) }
  }

  /// The heap that was made before this one, 0 for the first.
  var older: UInt {
    get { fields.older.load(ordering: .relaxed) }
    nonmutating set { fields.older.store(newValue, ordering: .relaxed) }
  }

  /// Makes the calling thread the owner of a new heap, or of one whose owner fork did not copy. Returns whether it
  /// succeeded.
  func setOwner() -> Bool { lab_malloc_owner_init(markAddress) == 0 }

  /// Makes the calling thread the owner of a heap without an owner, or whose owner ended. Returns whether it succeeded.
  func claim() -> Bool { lab_malloc_owner_claim(markAddress) == 0 }

  /// Ends the calling thread's ownership.
  func release() { lab_malloc_owner_release(markAddress) }

  private var markAddress: UInt {
    // SAFETY: nothing is read or written through the pointer here.
    unsafe withUnsafePointer(to: &fields.mark) { UInt(bitPattern: $0) }
  }
}

/// Room for the kernel's mark, which is C's.
typealias OwnerMark = InlineArray<8, UInt>
