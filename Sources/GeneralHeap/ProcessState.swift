internal import CLabMalloc
internal import Synchronization

/// What the process heap knows beside its space and its thread heaps; zero bytes are its initial value.
struct ProcessRecord: ~Copyable {
  /// The `HeapLock` over the set-up; the first field, so that its address is the record's.
  var lock: UInt = 0
  /// The `HeapLock` over the mappings that stand alone (MappedBlocks.swift).
  var mappedLock: UInt = 0
  /// The space's address, 0 until there is one.
  let space = Atomic<UInt>(0)
  /// The thread heap that was made last; they are linked by `olderHeap`. Changed under the lock.
  let newestHeap = Atomic<UInt>(0)
  /// How many there are.
  var heapCount: UInt = 0
  /// Where the word lies by which a child of fork finds out that it is one (ProcessHeap+Fork.swift): the first of a page
  /// that is wiped there, or, where the kernel has no such pages, the next one here. 0 before the set-up.
  let forkWord = Atomic<UInt>(0)
  let unwipedForkWord = Atomic<UInt>(0)
  /// The table of mappings that stand alone, and how many of its slots are in use.
  let mappedTable = Atomic<UInt>(0)
  var mappedCount: UInt = 0
  /// The mappings in use and their bytes.
  var mappedLiveCount: UInt = 0
  var mappedByteCount: UInt = 0
  /// How many bytes of the emergency region are in use. Atomic.
  var emergencyUsed: UInt = 0
  /// The settings (Settings.swift).
  var settings = Settings()
  /// The heap under a textbook policy (TextbookHeap.swift), 0 under the general one.
  let textbook = Atomic<UInt>(0)
  /// The `HeapLock` of the heap that young threads share, and that heap, 0 until there is one (ProcessHeap+Shared.swift).
  var sharedLock: UInt = 0
  let sharedHeap = Atomic<UInt>(0)
}

/// The one process heap's state.
struct ProcessState {
  var address: UInt { UInt(lab_malloc_state()) }

  var fields: ProcessRecord {
    // SAFETY: the C side holds zeroed, aligned bytes for it, 1,024 of them, for as long as the process lives.
    @inline(__always) unsafeAddress { unsafe UnsafePointer(bitPattern: address).unsafelyUnwrapped }
    @inline(__always) nonmutating unsafeMutableAddress {
      unsafe UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped
    }
  }

  // What every slow path looks at without a lock. Acquire pairs with the release of who made the thing: whoever sees
  // its address sees the thing as it was made.

  var space: UInt {
    get { fields.space.load(ordering: .acquiring) }
    nonmutating set { fields.space.store(newValue, ordering: .releasing) }
  }

  var newestHeap: UInt {
    get { fields.newestHeap.load(ordering: .acquiring) }
    nonmutating set { fields.newestHeap.store(newValue, ordering: .releasing) }
  }

  var forkWord: UInt {
    get { fields.forkWord.load(ordering: .acquiring) }
    nonmutating set { fields.forkWord.store(newValue, ordering: .releasing) }
  }

  var mappedTable: UInt {
    get { fields.mappedTable.load(ordering: .acquiring) }
    nonmutating set { fields.mappedTable.store(newValue, ordering: .releasing) }
  }

  var textbook: UInt {
    get { fields.textbook.load(ordering: .acquiring) }
    nonmutating set { fields.textbook.store(newValue, ordering: .releasing) }
  }

  var sharedHeap: UInt {
    get { fields.sharedHeap.load(ordering: .acquiring) }
    nonmutating set { fields.sharedHeap.store(newValue, ordering: .releasing) }
  }

  var mappedLock: UInt { address + 8 }

  var sharedLock: UInt { address + UInt(MemoryLayout<ProcessRecord>.size) - 16 }

  /// Where `unwipedForkWord` lies.
  var unwipedForkWord: UInt { address + 48 }

  /// Where `emergencyUsed` lies.
  var emergencyUsed: UInt { address + 88 }
}
