public import Addresses
public import MemoryProtocols
public import SpinLocks

/// A first-fit heap that all threads share, behind one `SpinLock`.
public typealias LockedHeap = LockedHeapBy<SpinLock>

/// A first-fit heap that all threads share, behind one lock, like a kernel's global allocator.
///
/// It starts without memory and gets it once, when memory is available:
///
///     let kernelHeap = LockedHeap()
///
///     try kernelHeap.initHeap(range)
///     let address = kernelHeap.allocate(byteCount: 100, alignment: 16)
///
/// As a global `let` it is initialised on first use. ``LockedHeap`` must not be used in signal or interrupt handlers:
/// they could wait for the thread that they interrupted. With an `InterruptSafeLock` the heap can be used there.
///
/// A kernel that puts this heap under Swift's classes and arrays must give it addresses below 2^63, which its tables then
/// map in every address space. Embedded Swift does not count references to an object whose address has bit 63 set: nothing
/// in the upper half of the address space would ever be freed.
@frozen
public struct LockedHeapBy<Lock: LockKind & ~Copyable>: ~Copyable, Sendable {
  @usableFromInline let state: LockedBy<Lock, LockedHeapState>

  /// A heap without memory: every request before ``initHeap(_:search:)`` gets nil.
  @_transparent
  public init() {
    state = LockedBy(LockedHeapState())
  }

  /// Gives the heap its memory: a range that is mapped, readable, writable and used by nobody else from now on.
  ///
  /// When several threads call this at once, one succeeds.
  ///
  /// - Parameters:
  ///   - range: The memory.
  ///   - search: How the heap finds holes. It does not change which block a request gets.
  /// - Throws: ``HeapInitError/alreadyInitialized`` every time but the first; ``HeapInitError/rangeTooSmall`` for a
  ///   range without room for a block, after which the heap can still be initialised.
  /// - Complexity: O(1); touches only the first bytes of the range, and of the parts of a table.
  @inlinable
  public func initHeap(_ range: AddrRange<VirtAddr>, search: FirstFitSearch = .tree) throws(HeapInitError) {
    try state.withLock { state throws(HeapInitError) in
      if state.isInitialized { throw .alreadyInitialized }
      state.heap.insert(range, search: search)
      if state.heap.extent == nil { throw .rangeTooSmall }
      state.isInitialized = true
    }
  }

  /// A block of at least `byteCount` bytes at a multiple of `alignment`, or nil when none fits.
  ///
  /// Calls ``FirstFitHeap/allocate(byteCount:alignment:)`` under the lock.
  @inlinable
  public func allocate(byteCount: UInt, alignment: UInt) -> VirtAddr? {
    state.withLock { $0.heap.allocate(byteCount: byteCount, alignment: alignment) }
  }

  /// Deallocates a block; any other address ends the process.
  @inlinable
  public func deallocate(_ address: VirtAddr) {
    state.withLock { $0.heap.deallocate(address) }
  }

  /// Resizes a block to at least `byteCount` bytes without moving it; returns whether it succeeded.
  @inlinable
  public func resize(_ address: VirtAddr, toByteCount byteCount: UInt) -> Bool {
    state.withLock { $0.heap.resize(address, toByteCount: byteCount) }
  }

  /// Resizes a block to at least `byteCount` bytes and moves it and its content if it must; nil when no place fits.
  @inlinable
  public func reallocate(_ address: VirtAddr, toByteCount byteCount: UInt, alignment: UInt = 1) -> VirtAddr? {
    state.withLock { $0.heap.reallocate(address, toByteCount: byteCount, alignment: alignment) }
  }

  /// How many bytes of the block at `address` its holder may use.
  @inlinable
  public func usableByteCount(of address: VirtAddr) -> UInt {
    state.withLock { $0.heap.usableByteCount(of: address) }
  }

  /// What the heap holds now.
  @inlinable
  public var statistics: HeapStatistics {
    state.withLock { $0.heap.statistics }
  }

  /// Waits for the lock and runs `body` on the heap: for everything else that a ``FirstFitHeap`` can do.
  @inlinable
  public func withHeap<Result: ~Copyable, Failure: Error>(
    _ body: (inout FirstFitHeap) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    try state.withLock { state throws(Failure) in try body(&state.heap) }
  }
}

/// The state that the lock of a ``LockedHeap`` guards.
@frozen @usableFromInline
struct LockedHeapState: ~Copyable {
  @usableFromInline var heap: FirstFitHeap
  @usableFromInline var isInitialized: Bool

  @_transparent @usableFromInline
  init() {
    heap = FirstFitHeap()
    isInitialized = false
  }
}
