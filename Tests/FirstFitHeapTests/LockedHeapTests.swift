import Addresses
import FirstFitHeap
import LabTestSupport
import MemoryProtocols
import SpinLocks
import Synchronization
import Testing

/// A heap as in a kernel: one global that exists before its memory does.
private let globalHeap = LockedHeap()

@Suite struct LockedHeapTests {
  @Test func givesNothingBeforeItHasMemory() {
    let shared = SharedHeap()
    #expect(shared.allocate(1) == nil)
    #expect(shared.statistics == HeapStatistics())
  }

  @Test func isInitializedOnce() throws {
    let shared = SharedHeap()
    try shared.initHeap()
    #expect(throws: HeapInitError.alreadyInitialized) { try shared.initHeap() }
    #expect(shared.allocate(1) == shared.memory.range.start + 48)
  }

  @Test func aRangeTooSmallIsRefusedAndAnotherTaken() throws {
    let shared = SharedHeap()
    #expect(throws: HeapInitError.rangeTooSmall) { try shared.initHeap(byteCount: 71) }
    try shared.initHeap()
    #expect(shared.allocate(1) != nil)
  }

  @Test func ofThreadsThatRaceOneInitializes() {
    for _ in 0..<100 {
      let shared = SharedHeap()
      let winners = Counter()
      Threads.run(4) { _ in
        do {
          try shared.initHeap()
          winners.increment()
        } catch {
          if error as? HeapInitError != .alreadyInitialized { Issue.record("unexpected: \(error)") }
        }
      }
      #expect(winners.value == 1)
      #expect(shared.statistics.capacityByteCount == 8192 - 40 - 8)
    }
  }

  @Test func searchesByATable() throws {
    let memory = TestMemory(byteCount: 256 << 10)
    let heap = LockedHeap()
    try heap.initHeap(memory.range, search: .table)
    let first = heap.allocate(byteCount: 10, alignment: 16)
    #expect(first == memory.range.start + 48 + BlockLayout.tableByteCount(forRangeOf: memory.range.byteCount))
    try heap.withHeap { heap throws(HeapInconsistency) in try heap.checkConsistency() }
  }

  @Test func exhaustionIsNil() throws {
    let shared = SharedHeap()
    try shared.initHeap()
    #expect(shared.allocate(8192) == nil)
    let address = try #require(shared.allocate(8100))
    #expect(shared.allocate(100) == nil)
    shared.heap.deallocate(address)
    #expect(shared.allocate(100) == address)
  }

  @Test func threadsShareTheGlobalHeap() throws {
    let memory = TestMemory(byteCount: 1 << 20)
    try globalHeap.initHeap(memory.range)
    Threads.run(4) { number in
      var generator = SeededGenerator(seed: UInt64(number))
      var addresses: [VirtAddr] = []
      for _ in 0..<2000 {
        if addresses.count < 20,
          let address = globalHeap.allocate(byteCount: UInt.random(in: 0...900, using: &generator), alignment: 16)
        {
          addresses.append(address)
        } else {
          globalHeap.deallocate(addresses.remove(at: Int.random(in: 0..<addresses.count, using: &generator)))
        }
      }
      addresses.forEach { globalHeap.deallocate($0) }
    }
    #expect(globalHeap.statistics.usedByteCount == 0)
    #expect(globalHeap.statistics.holeCount == 1)
    try globalHeap.withHeap { heap throws(HeapInconsistency) in try heap.checkConsistency() }
  }

  @Test func errorsSayWhatToDo() {
    #expect(
      HeapInitError.alreadyInitialized.description
        == "the heap is initialised already; initialise it once, and give it more memory by insert")
    #expect(
      HeapInitError.rangeTooSmall.description
        == "the range has no room for a block; give the heap at least 128 bytes")
  }
}

/// A heap that an interrupt handler uses too.
private let interruptSafeHeap = LockedHeapBy<InterruptSafeLock<SpinLock, SignalInterrupts>>()

extension LockedHeapTests {
  /// The handler allocates while its thread is amid an allocation: it waits for the release, and both get blocks.
  @Test func aHandlerAllocatesFromAnInterruptSafeHeap() throws {
    let memory = TestMemory(byteCount: 1 << 16)
    try interruptSafeHeap.initHeap(memory.range)
    let handler: @convention(c) (CInt) -> Void = { _ in _ = interruptSafeHeap.allocate(byteCount: 100, alignment: 16) }
    SignalInterrupts.handling(handler) {
      Threads.run(1) { _ in
        SignalInterrupts.enable()
        interruptSafeHeap.withHeap { heap in
          guard let first = heap.allocate(byteCount: 100, alignment: 16) else { fatalError("no block") }
          SignalInterrupts.request()
          precondition(heap.statistics.blockCount == 1)
          heap.deallocate(first)
        }
        precondition(interruptSafeHeap.statistics.blockCount == 1)
        SignalInterrupts.request()
      }
    }
    #expect(interruptSafeHeap.statistics.blockCount == 2)
    try interruptSafeHeap.withHeap { heap throws(HeapInconsistency) in try heap.checkConsistency() }
  }
}

/// A heap and its memory in an object, for closures and for the testing macros.
private final class SharedHeap: Sendable {
  let heap = LockedHeap()
  let memory = TestMemory(byteCount: 8192)

  var statistics: HeapStatistics { heap.statistics }

  func initHeap(byteCount: UInt = 8192) throws(HeapInitError) {
    try heap.initHeap(AddrRange(start: memory.range.start, byteCount: byteCount))
  }

  func allocate(_ byteCount: UInt) -> VirtAddr? { heap.allocate(byteCount: byteCount, alignment: 16) }
}

/// A number that threads count up.
private final class Counter: Sendable {
  private let count = Atomic(0)

  // Both relaxed: the value is read after the threads have ended.
  var value: Int { count.load(ordering: .relaxed) }

  func increment() { count.wrappingAdd(1, ordering: .relaxed) }
}
