import LabTestSupport
import PageTables
import SlabCaches
import SpinLocks
import Synchronization
import Testing

/// An object whose plain field exposes two holders to ThreadSanitizer, and whose atomic one exposes them to the test.
private struct Shared: SlabObject, ~Copyable {
  var visitCount = 0
  let isHeld = Atomic(false)
  private var rest = InlineArray<10, UInt64>(repeating: 0)

  init() {}

  deinit { precondition(!isHeld.load(ordering: .relaxed), "the destructor found an object in use") }
}

/// A cache and memory in an object, for the closures of threads.
private final class SharedCache: Sendable {
  let memory = SlabMemory(frameCount: 512)
  let cache: SlabCache<Shared, OffsetPhysMapper, TicketLock>
  /// Objects on their way from one thread to another.
  let exchange = Locked<[UInt]>([])

  init(checks: SlabChecks) {
    cache = SlabCache("shared", alignment: 64, mapper: memory.mapper, checks: checks)
  }
}

/// Threads as processors: each has its magazines, and they free each other's objects. `scripts/test-tsan` runs these
/// under ThreadSanitizer.
@Suite(.serialized) struct SlabCacheThreadsTests {
  @Test(arguments: [SlabChecks.atSlabs, .atEveryCall])
  func threadsNeverShareAnObject(checks: SlabChecks) {
    let shared = SharedCache(checks: checks)
    Threads.run(6) { work($0, shared) }
    for address in shared.exchange.withLock({ $0 }) {
      guard let object = UnsafeMutablePointer<Shared>(bitPattern: address) else { return }
      shared.cache.deallocate(object, to: shared.memory.frames)
    }
    let left = shared.cache.drain(to: shared.memory.frames)
    #expect(left == 0)
    #expect(shared.memory.frames.freeFrameCount == 512)
  }
}

/// The work of each thread.
private func work(_ thread: Int, _ shared: SharedCache) {
  var random = SeededGenerator(seed: UInt64(thread))
  var own = shared.cache.makeMagazines()
  var held: [UnsafeMutablePointer<Shared>] = []

  func allocate() {
    guard let object = shared.cache.allocate(through: &own, from: shared.memory.frames) else { return }
    guard !object.pointee.isHeld.exchange(true, ordering: .relaxed) else { fatalError("two holders of an object") }
    object.pointee.visitCount += 1
    held.append(object)
  }
  func deallocate(_ object: UnsafeMutablePointer<Shared>) {
    object.pointee.visitCount += 1
    object.pointee.isHeld.store(false, ordering: .relaxed)
    shared.cache.deallocate(object, through: &own, to: shared.memory.frames)
  }

  for _ in 0..<6000 {
    switch Int.random(in: 0..<100, using: &random) {
    case 0: shared.cache.reap(to: shared.memory.frames)
    case 1: shared.cache.shrink(by: 2, to: shared.memory.frames)
    case 2: shared.cache.drain(&own, to: shared.memory.frames)
    case 3..<20:
      // Swaps an object with another thread. Those in the exchange count as free.
      guard let mine = held.popLast() else { continue }
      mine.pointee.isHeld.store(false, ordering: .relaxed)
      let theirs = shared.exchange.withLock { addresses -> UInt? in
        addresses.append(mine.address)
        return addresses.count > 20 ? addresses.removeFirst() : nil
      }
      if let theirs, let object = UnsafeMutablePointer<Shared>(bitPattern: theirs) { deallocate(object) }
    case 20..<62: allocate()
    default: if held.count > 300 || Bool.random(using: &random), let object = held.popLast() { deallocate(object) }
    }
  }
  for object in held { deallocate(object) }
  shared.cache.drain(&own, to: shared.memory.frames)
}
