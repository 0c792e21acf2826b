internal import Assertions
internal import CLabMalloc
internal import HeapSpaces
internal import Synchronization

/// What the process heap knows beside its space and its thread heaps; zero bytes are its initial value.
struct ProcessRecord: ~Copyable {
  /// The lock over the set-up and the thread heaps.
  let lock: HeapLock
  /// The space's address, 0 until there is one.
  let space: Atomic<UInt>
  /// The settings (Settings.swift).
  var settings: Settings
  /// The heap under a textbook policy (TextbookHeap.swift), 0 under the general one.
  let textbook: Atomic<UInt>

  /// The thread heap that was made last; they are linked by `older`. Changed under the lock.
  let newestHeap: Atomic<UInt>
  /// How many there are.
  var heapCount: UInt
  /// The first of those that are known to have lost their threads, and how many threads asked for a heap since the last
  /// search for such (ProcessHeap+Threads.swift).
  var endedHeap: UInt
  var attachCount: UInt
  /// The heap that young threads share, 0 until there is one, and its lock (ProcessHeap+Shared.swift).
  let sharedHeap: Atomic<UInt>
  let sharedLock: HeapLock

  /// The address of the fork word: how a child of fork learns that it is one (ProcessHeap+Fork.swift). The first word of a
  /// page that is wiped there or, where the kernel has no such pages, the next one here. 0 before the set-up.
  let forkWord: Atomic<UInt>
  let unwipedForkWord: Atomic<UInt>

  /// The lock over the mappings that stand alone (MappedBlocks.swift), their table, and how many of its slots are in use.
  let mappedLock: HeapLock
  let mappedTable: Atomic<UInt>
  var mappedCount: UInt
  /// The mappings in use and their bytes. Statistics read them without the lock.
  let mappedLiveCount: Atomic<UInt>
  let mappedByteCount: Atomic<UInt>

  /// How many bytes of the emergency region are in use (ProcessHeap+Emergency.swift).
  let emergencyByteCount: Atomic<UInt>
}

/// The one process heap's state.
struct ProcessState {
  var fields: ProcessRecord {
    // SAFETY: the C side holds zeroed, aligned bytes for it for as long as the process lives.
    @inline(__always) unsafeAddress { unsafe UnsafePointer(bitPattern: lab_malloc_state()).unsafelyUnwrapped }
    @inline(__always) nonmutating unsafeMutableAddress {
      unsafe UnsafeMutablePointer(bitPattern: lab_malloc_state()).unsafelyUnwrapped
    }
  }

  /// Ends the process unless C's bytes are enough: known when this is compiled, nothing of it is left in a library.
  static func checkSize() {
    require(
      MemoryLayout<ProcessRecord>.size <= Int(LAB_MALLOC_STATE_BYTE_COUNT), "the state must fit the bytes C has for it")
  }

  // Every slow path reads these without a lock. A thread that sees the address of a thing sees the thing as it was made.

  var space: UInt {
    // Acquire pairs with the release below, by the thread that made the thing, and release with that acquire.
    get { fields.space.load(ordering: .acquiring) }
    nonmutating set { fields.space.store(newValue, ordering: .releasing) }
  }

  var newestHeap: UInt {
    // Acquire pairs with the release below, by the thread that made the thing, and release with that acquire.
    get { fields.newestHeap.load(ordering: .acquiring) }
    nonmutating set { fields.newestHeap.store(newValue, ordering: .releasing) }
  }

  var forkWord: UInt {
    // Acquire pairs with the release below, by the thread that made the thing, and release with that acquire.
    get { fields.forkWord.load(ordering: .acquiring) }
    nonmutating set { fields.forkWord.store(newValue, ordering: .releasing) }
  }

  var mappedTable: UInt {
    // Acquire pairs with the release below, by the thread that made the thing, and release with that acquire.
    get { fields.mappedTable.load(ordering: .acquiring) }
    nonmutating set { fields.mappedTable.store(newValue, ordering: .releasing) }
  }

  var textbook: UInt {
    // Acquire pairs with the release below, by the thread that made the thing, and release with that acquire.
    get { fields.textbook.load(ordering: .acquiring) }
    nonmutating set { fields.textbook.store(newValue, ordering: .releasing) }
  }

  var sharedHeap: UInt {
    // Acquire pairs with the release below, by the thread that made the thing, and release with that acquire.
    get { fields.sharedHeap.load(ordering: .acquiring) }
    nonmutating set { fields.sharedHeap.store(newValue, ordering: .releasing) }
  }

  /// The address of `unwipedForkWord`.
  var unwipedForkWord: UInt {
    // SAFETY: nothing is read or written through the pointer here.
    unsafe withUnsafePointer(to: fields.unwipedForkWord) { UInt(bitPattern: $0) }
  }
}
