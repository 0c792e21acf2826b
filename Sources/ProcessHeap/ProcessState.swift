internal import Assertions
internal import CLabMalloc
internal import HeapSpaces
internal import Synchronization

/// The fields of the process heap besides its space and its thread heaps. Zero bytes are their initial value.
struct ProcessRecord: ~Copyable {
  /// The lock for the set-up and the thread heaps.
  let lock: HeapLock
  /// The space's address, 0 until there is one.
  let space: PublishedAddress
  /// The settings (Settings.swift).
  var settings: Settings
  /// The heap under a textbook policy (TextbookHeap.swift), 0 under the general policy.
  let textbook: PublishedAddress

  /// The thread heap that was made last; `older` links them. Changed under the lock.
  let newestHeap: PublishedAddress
  /// How many thread heaps there are.
  var heapCount: UInt
  /// The first heap whose thread is known to have ended, and how many threads asked for a heap since the last search
  /// for such heaps (ProcessHeap+Threads.swift). Under the lock.
  var endedHeap: UInt
  var attachCount: UInt
  /// The heap that the last new thread got, 0 for none. Under the lock.
  var lastAttachedHeap: UInt
  /// The heap that young threads share, 0 until there is one, and its lock (ProcessHeap+Shared.swift).
  let sharedHeap: PublishedAddress
  let sharedLock: HeapLock

  /// The address of the fork word: how a child of fork learns that it is one (ProcessHeap+Fork.swift). It is the first
  /// word of a page that is wiped in the child or, where the kernel has no such pages, `unwipedForkWord`. 0 before the
  /// set-up.
  let forkWord: PublishedAddress
  let unwipedForkWord: Atomic<UInt>

  /// The lock for the stand-alone mappings (MappedBlocks.swift), their table, and how many of its slots are in use.
  let mappedLock: HeapLock
  let mappedTable: PublishedAddress
  var mappedCount: UInt
  /// How many mappings are in use, and their bytes. Statistics read both without the lock.
  let mappedLiveCount: Atomic<UInt>
  let mappedByteCount: Atomic<UInt>
  /// The mappings that no block uses (KeptMappings.swift), under the mappings' lock. Their bytes, and the time since which
  /// the oldest is kept, 0 for none, are read without it.
  var kept: KeptMappings
  let keptByteCount: Atomic<UInt>
  let keptSinceMilliseconds: Atomic<UInt>

  /// Whether a thread purges what idles (BackgroundPurge.swift).
  let background: Atomic<UInt>

  /// How many requests found no memory (Telemetry.swift).
  let refusedCount: Atomic<UInt>

  /// The mean number of bytes between two samples, 0 for none (Sampling.swift). Readers outside may write it.
  let sampleMean: Atomic<UInt>

  /// How many bytes of the emergency region are in use (ProcessHeap+Emergency.swift).
  let emergencyByteCount: Atomic<UInt>
}

/// The state of the process's one heap.
struct ProcessState {
  var fields: ProcessRecord {
    // SAFETY: the C side holds zeroed, aligned bytes for it for as long as the process lives.
    @inline(__always) unsafeAddress { unsafe UnsafePointer(bitPattern: lab_malloc_state()).unsafelyUnwrapped }
    @inline(__always) nonmutating unsafeMutableAddress {
      unsafe UnsafeMutablePointer(bitPattern: lab_malloc_state()).unsafelyUnwrapped
    }
  }

  /// Ends the process if C's bytes are too few. The compiler knows the answer: nothing of this is left in a library.
  static func checkSize() {
    require(
      MemoryLayout<ProcessRecord>.size <= Int(LAB_MALLOC_STATE_BYTE_COUNT), "the state must fit the bytes C has for it")
  }

  // What slow paths follow without a lock.

  var space: UInt {
    get { fields.space.value }
    nonmutating set { fields.space.value = newValue }
  }

  var newestHeap: UInt {
    get { fields.newestHeap.value }
    nonmutating set { fields.newestHeap.value = newValue }
  }

  var forkWord: UInt {
    get { fields.forkWord.value }
    nonmutating set { fields.forkWord.value = newValue }
  }

  var mappedTable: UInt {
    get { fields.mappedTable.value }
    nonmutating set { fields.mappedTable.value = newValue }
  }

  var textbook: UInt {
    get { fields.textbook.value }
    nonmutating set { fields.textbook.value = newValue }
  }

  var sharedHeap: UInt {
    get { fields.sharedHeap.value }
    nonmutating set { fields.sharedHeap.value = newValue }
  }

  /// The address of `unwipedForkWord`.
  var unwipedForkWord: UInt {
    // SAFETY: nothing is read or written through the pointer here.
    unsafe withUnsafePointer(to: fields.unwipedForkWord) { UInt(bitPattern: $0) }
  }
}
