import BuddyFrames
import LabTestSupport
import PageTables
import SlabCaches
import SpinLocks
import Synchronization
import Testing

extension SlabCacheTests {
  /// Random operations on three processors' magazines and the cache, against a model of what is in use.
  ///
  /// Little memory runs out, much does not.
  @Test(
    arguments: [(1, 1024, false), (2, 24, false), (3, 1024, true), (4, 24, true), (5, 3, false)]
      as [(UInt64, UInt64, Bool)])
  func randomOperationsAgreeWithTheModel(seed: UInt64, frameCount: UInt64, checked: Bool) {
    let memory = SlabMemory(frameCount: frameCount)
    let cache = memory.cache(of: Connection.self, checks: checked ? .atEveryCall : .atSlabs)
    var run = Run(seed: seed)
    var first = cache.makeMagazines()
    var second = cache.makeMagazines()
    var third = cache.makeMagazines()
    for step in 0..<20_000 {
      switch run.processor() {
      case 0: run.step(cache, &first, memory.frames)
      case 1: run.step(cache, &second, memory.frames)
      default: run.step(cache, &third, memory.frames)
      }
      guard step % 64 == 0 else { continue }
      let statistics = cache.statistics
      let ownCount = first.objectCount + second.objectCount + third.objectCount
      #expect(statistics.usedObjectCount == UInt(run.held.count) + ownCount, "seed \(seed), step \(step)")
      let objectCount = statistics.usedObjectCount + statistics.depotObjectCount + statistics.freeObjectCount
      #expect(objectCount == statistics.slabCount * cache.layout.objectCount, "seed \(seed), step \(step)")
      #expect(Connection.count.load(ordering: .relaxed) == Int(objectCount), "seed \(seed), step \(step)")
      #expect(
        memory.frames.freeFrameCount + statistics.frameCount == frameCount, "seed \(seed), step \(step)")
      #expect(statistics.emptySlabCount <= SlabCacheLimits.emptySlabMaximum, "seed \(seed), step \(step)")
    }
    #expect(run.allocationCount > 1000, "seed \(seed)")
    #expect((run.failureCount > 0) == (frameCount < 1024), "seed \(seed)")
    cache.drain(&first, to: memory.frames)
    cache.drain(&second, to: memory.frames)
    cache.drain(&third, to: memory.frames)
    let left = cache.drain(to: memory.frames)
    #expect(left == UInt(run.held.count), "seed \(seed)")
    var found: Set<UInt> = []
    cache.forEachObjectInUse { found.insert($0.address) }
    #expect(found == Set(run.held.map(\.address)), "seed \(seed)")
    while !run.held.isEmpty { cache.deallocate(run.takeHeld(), to: memory.frames) }
    let end = cache.drain(to: memory.frames)
    #expect(end == 0, "seed \(seed)")
    #expect(memory.frames.freeFrameCount == frameCount, "seed \(seed)")
    #expect(Connection.count.load(ordering: .relaxed) == 0, "seed \(seed)")
  }
}

/// The model and its random choices.
private struct Run {
  let seed: UInt64
  private var random: SeededGenerator
  /// What is in use.
  private(set) var held: [UnsafeMutablePointer<Connection>] = []
  private(set) var allocationCount: UInt64 = 0
  private(set) var failureCount = 0
  /// How many objects are to be in use: changes in waves.
  private var target = 0

  init(seed: UInt64) {
    self.seed = seed
    random = SeededGenerator(seed: seed)
  }

  mutating func processor() -> Int { Int.random(in: 0..<3, using: &random) }

  mutating func step(
    _ cache: borrowing SlabCache<Connection, OffsetPhysMapper, SpinLock>, _ own: inout SlabMagazines,
    _ frames: borrowing LockedFrames
  ) {
    if Int.random(in: 0..<500, using: &random) == 0 { target = Int.random(in: 0..<2000, using: &random) }
    switch Int.random(in: 0..<1000, using: &random) {
    case 0: cache.drain(&own, to: frames)
    case 1..<3: cache.reap(to: frames)
    case 3: cache.shrink(by: UInt64.random(in: 0..<20, using: &random), to: frames)
    case 4..<104:
      if Bool.random(using: &random) { allocate(cache.allocate(from: frames)) }
      if !held.isEmpty { cache.deallocate(takeHeld(), to: frames) }
    default:
      let grows = Int.random(in: 0..<100, using: &random) < (held.count < target ? 80 : 20)
      if grows {
        allocate(cache.allocate(through: &own, from: frames))
      } else if !held.isEmpty {
        cache.deallocate(takeHeld(), through: &own, to: frames)
      }
    }
  }

  /// Notes a new object, which must be constructed and nobody else's.
  private mutating func allocate(_ object: UnsafeMutablePointer<Connection>?) {
    guard let object else {
      failureCount += 1
      return
    }
    allocationCount += 1
    precondition(object.pointee.mark == Connection.constructed, "not constructed, seed \(seed)")
    precondition(object.pointee.holder == 0, "held by another, seed \(seed)")
    object.pointee.holder = allocationCount
    held.append(object)
  }

  /// Takes a random object out of the model, unharmed.
  mutating func takeHeld() -> UnsafeMutablePointer<Connection> {
    held.swapAt(Int.random(in: 0..<held.count, using: &random), held.count - 1)
    let object = held.removeLast()
    precondition(
      object.pointee.mark == Connection.constructed && object.pointee.holder != 0, "overwritten, seed \(seed)")
    object.pointee.holder = 0
    return object
  }
}
