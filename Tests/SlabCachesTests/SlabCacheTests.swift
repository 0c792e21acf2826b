import PageTables
import SlabCaches
import SpinLocks
import Testing

@Suite(.serialized) struct SlabCacheTests {
  let memory = SlabMemory()

  @Test func objectsAreConstructedOnceForEachSlab() throws {
    let cache = memory.cache(of: Connection.self)
    let count = Int(cache.layout.objectCount)
    let before = Connection.count.load(ordering: .relaxed)
    let first = try unwrapped(cache.allocate(from: memory.frames))
    #expect(Connection.count.load(ordering: .relaxed) == before + count)
    #expect(first.pointee.mark == Connection.constructed)
    cache.deallocate(first, to: memory.frames)
    // The slab's lowest object again, without another construction.
    #expect(cache.allocate(from: memory.frames) == first)
    #expect(Connection.count.load(ordering: .relaxed) == before + count)
    cache.deallocate(first, to: memory.frames)
    #expect(cache.drain(to: memory.frames) == 0)
    #expect(Connection.count.load(ordering: .relaxed) == before)
    #expect(memory.frames.freeFrameCount == 1024)
  }

  @Test func objectsHaveTheirAlignmentAndDoNotOverlap() throws {
    let cache = memory.cache(of: Bytes<100>.self, alignment: 64)
    var held: [UnsafeMutablePointer<Bytes<100>>] = []
    for _ in 0..<200 { held.append(try unwrapped(cache.allocate(from: memory.frames))) }
    let addresses = held.map(\.address).sorted()
    #expect(addresses.allSatisfy { $0 % 64 == 0 })
    #expect(zip(addresses, addresses.dropFirst()).allSatisfy { $1 - $0 >= 128 })
    for object in held { cache.deallocate(object, to: memory.frames) }
    #expect(cache.drain(to: memory.frames) == 0)
  }

  @Test func slabsStartTheirObjectsAtDifferentOffsets() throws {
    let cache = memory.cache(of: Bytes<1300>.self)
    let slabByteCount = cache.layout.slabByteCount
    var held: [UnsafeMutablePointer<Bytes<1300>>] = []
    var firsts: [UInt: UInt] = [:]
    for _ in 0..<8 * cache.layout.objectCount {
      let object = try unwrapped(cache.allocate(from: memory.frames))
      held.append(object)
      let (slab, offset) = object.address.quotientAndRemainder(dividingBy: slabByteCount)
      firsts[slab] = min(firsts[slab] ?? offset, offset)
    }
    #expect(firsts.count == 8)
    #expect(Set(firsts.values).count == min(8, Int(cache.layout.colourCount)))
    #expect(cache.layout.colourCount > 1)
    for object in held { cache.deallocate(object, to: memory.frames) }
    #expect(cache.drain(to: memory.frames) == 0)
  }

  @Test func theObjectFreedLastComesFirst() throws {
    let cache = memory.cache(of: Connection.self)
    var own = cache.makeMagazines()
    let first = try unwrapped(cache.allocate(through: &own, from: memory.frames))
    let second = try unwrapped(cache.allocate(through: &own, from: memory.frames))
    let third = try unwrapped(cache.allocate(through: &own, from: memory.frames))
    let fourth = try unwrapped(cache.allocate(through: &own, from: memory.frames))
    let addresses = [first, second, third, fourth].map(\.address)
    #expect(addresses == addresses.sorted())
    cache.deallocate(fourth, through: &own, to: memory.frames)
    cache.deallocate(third, through: &own, to: memory.frames)
    cache.deallocate(first, through: &own, to: memory.frames)
    #expect(cache.allocate(through: &own, from: memory.frames) == first)
    cache.deallocate(first, through: &own, to: memory.frames)
    cache.deallocate(second, through: &own, to: memory.frames)
    end(cache, &own)
  }

  /// One visit fills the loaded magazine, and two magazines take as many objects back without a visit.
  @Test func magazinesServeInBatches() throws {
    let cache = memory.cache(of: Bytes<64>.self)
    var own = cache.makeMagazines()
    var held = [try unwrapped(cache.allocate(through: &own, from: memory.frames))]
    // The first allocation leaves an empty magazine, and the second one fills it: with 62 rounds, or what a slab has.
    #expect(own.objectCount == 0)
    held.append(try unwrapped(cache.allocate(through: &own, from: memory.frames)))
    #expect(own.objectCount == min(62, cache.layout.objectCount - 2))
    #expect(cache.statistics.usedObjectCount == own.objectCount + 2)
    for _ in 0..<1000 { held.append(try unwrapped(cache.allocate(through: &own, from: memory.frames))) }
    for object in held { cache.deallocate(object, through: &own, to: memory.frames) }
    #expect(own.objectCount <= 2 * 62)
    let statistics = cache.statistics
    #expect(statistics.depotObjectCount > 0 && statistics.depotObjectCount % 62 == 0)
    #expect(statistics.usedObjectCount == own.objectCount)
    // The next allocations come from the depot, and the slabs do not change.
    held = []
    for _ in 0..<1000 { held.append(try unwrapped(cache.allocate(through: &own, from: memory.frames))) }
    #expect(cache.statistics.madeSlabCount == statistics.madeSlabCount)
    for object in held { cache.deallocate(object, through: &own, to: memory.frames) }
    end(cache, &own)
  }

  @Test func exhaustionIsNilAndNothingIsLost() throws {
    let memory = SlabMemory(frameCount: 3)
    let cache = memory.cache(of: Bytes<512>.self)
    var own = cache.makeMagazines()
    var held: [UnsafeMutablePointer<Bytes<512>>] = []
    while let object = cache.allocate(through: &own, from: memory.frames) { held.append(object) }
    // One of the frames holds magazines.
    #expect(UInt(held.count) == 2 * cache.layout.objectCount)
    #expect(memory.frames.freeFrameCount == 0)
    #expect(cache.statistics.failureCount == 1)
    #expect(cache.allocate(from: memory.frames) == nil)
    for object in held { cache.deallocate(object, through: &own, to: memory.frames) }
    end(cache, &own, in: memory)
  }

  /// The last frame goes to objects, not to magazines.
  @Test func theLastFrameServesObjects() throws {
    let memory = SlabMemory(frameCount: 1)
    let cache = memory.cache(of: Bytes<512>.self)
    var own = cache.makeMagazines()
    for _ in 0..<3 {
      let object = try unwrapped(cache.allocate(through: &own, from: memory.frames))
      cache.deallocate(object, through: &own, to: memory.frames)
    }
    end(cache, &own, in: memory)
  }

  /// Without a frame for magazines, every request goes to the slabs.
  @Test func worksWithoutMemoryForMagazines() throws {
    let memory = SlabMemory(frameCount: 1)
    let cache = memory.cache(of: Bytes<512>.self)
    let object = try unwrapped(cache.allocate(from: memory.frames))
    var own = cache.makeMagazines()
    for _ in 0..<3 {
      let other = try unwrapped(cache.allocate(through: &own, from: memory.frames))
      #expect(own.objectCount == 0)
      cache.deallocate(other, through: &own, to: memory.frames)
      #expect(own.objectCount == 0)
    }
    cache.deallocate(object, through: &own, to: memory.frames)
    end(cache, &own, in: memory)
  }

  @Test func emptySlabsBeyondTheMaximumAreReleasedAtOnce() throws {
    let cache = memory.cache(of: Bytes<512>.self)
    var held: [UnsafeMutablePointer<Bytes<512>>] = []
    for _ in 0..<20 * cache.layout.objectCount { held.append(try unwrapped(cache.allocate(from: memory.frames))) }
    #expect(cache.statistics.slabCount == 20)
    for object in held { cache.deallocate(object, to: memory.frames) }
    #expect(cache.statistics.slabCount == SlabCacheLimits.emptySlabMaximum)
    #expect(cache.statistics.emptySlabCount == SlabCacheLimits.emptySlabMaximum)
    #expect(cache.statistics.releasedSlabCount == 20 - SlabCacheLimits.emptySlabMaximum)
    #expect(cache.shrink(by: 1, to: memory.frames) == 8)
    #expect(memory.frames.freeFrameCount == 1024)
  }

  @Test func theDepotIsBounded() throws {
    let cache = memory.cache(of: Bytes<64>.self)
    var own = cache.makeMagazines()
    var held: [UnsafeMutablePointer<Bytes<64>>] = []
    for _ in 0..<62 * 50 { held.append(try unwrapped(cache.allocate(through: &own, from: memory.frames))) }
    for object in held { cache.deallocate(object, through: &own, to: memory.frames) }
    #expect(cache.statistics.depotObjectCount == SlabCacheLimits.depotMagazineMaximum * 62)
    #expect(cache.statistics.emptySlabCount <= SlabCacheLimits.emptySlabMaximum)
    end(cache, &own)
  }

  /// Used slabs fill up before an empty one is touched, which can then be released.
  @Test func partialSlabsComeBeforeEmptyOnes() throws {
    let cache = memory.cache(of: Bytes<512>.self)
    var held: [UnsafeMutablePointer<Bytes<512>>] = []
    for _ in 0..<2 * cache.layout.objectCount { held.append(try unwrapped(cache.allocate(from: memory.frames))) }
    let partial = held.removeFirst()
    cache.deallocate(partial, to: memory.frames)
    for _ in 0..<cache.layout.objectCount { cache.deallocate(held.removeLast(), to: memory.frames) }
    #expect(cache.statistics.emptySlabCount == 1)
    #expect(cache.allocate(from: memory.frames) == partial)
    held.append(partial)
    for object in held { cache.deallocate(object, to: memory.frames) }
    #expect(cache.drain(to: memory.frames) == 0)
  }

  /// The depot keeps what was needed since the last reaping, and gives the rest back.
  @Test func reapingLeavesWhatIsInUse() throws {
    let cache = memory.cache(of: Bytes<64>.self)
    var own = cache.makeMagazines()
    var held: [UnsafeMutablePointer<Bytes<64>>] = []
    for _ in 0..<62 * 10 { held.append(try unwrapped(cache.allocate(through: &own, from: memory.frames))) }
    while let object = held.popLast() { cache.deallocate(object, through: &own, to: memory.frames) }
    let full = cache.statistics.depotObjectCount
    #expect(full >= 62 * 7)
    // The interval of this first reaping began with an empty depot: nothing lay there all the while.
    cache.reap(to: memory.frames)
    #expect(cache.statistics.depotObjectCount == full)
    // Three magazines are needed in this interval, the others are not.
    for _ in 0..<62 * 4 { held.append(try unwrapped(cache.allocate(through: &own, from: memory.frames))) }
    while let object = held.popLast() { cache.deallocate(object, through: &own, to: memory.frames) }
    #expect(cache.statistics.depotObjectCount == full)
    #expect(cache.reap(to: memory.frames) > 0)
    let kept = cache.statistics.depotObjectCount
    #expect(kept >= 62 * 2 && kept <= 62 * 4)
    // None is needed in this one.
    cache.reap(to: memory.frames)
    #expect(cache.statistics.depotObjectCount == 0)
    end(cache, &own)
  }

  @Test func shrinkingStopsWhenItHasEnough() throws {
    let cache = memory.cache(of: Bytes<64>.self)
    var own = cache.makeMagazines()
    var held: [UnsafeMutablePointer<Bytes<64>>] = []
    for _ in 0..<62 * 30 { held.append(try unwrapped(cache.allocate(through: &own, from: memory.frames))) }
    for object in held { cache.deallocate(object, through: &own, to: memory.frames) }
    let frameCount = cache.statistics.frameCount
    let released = cache.shrink(by: 3, to: memory.frames)
    #expect(released >= 3 && released <= 8)
    #expect(cache.statistics.frameCount == frameCount - released)
    #expect(cache.statistics.depotObjectCount > 0)
    cache.shrink(by: 1024, to: memory.frames)
    #expect(cache.statistics.depotObjectCount == 0)
    end(cache, &own)
  }

  /// The end of a cache says what is left in it.
  @Test func drainingSaysWhatIsLeft() throws {
    let cache = memory.cache(of: Connection.self)
    var own = cache.makeMagazines()
    var held: [UnsafeMutablePointer<Connection>] = []
    for _ in 0..<100 { held.append(try unwrapped(cache.allocate(through: &own, from: memory.frames))) }
    let left = [held.remove(at: 90), held.remove(at: 50), held.remove(at: 7)]
    for object in held { cache.deallocate(object, through: &own, to: memory.frames) }
    cache.drain(&own, to: memory.frames)
    #expect(cache.drain(to: memory.frames) == 3)
    var found: Set<UInt> = []
    cache.forEachObjectInUse { found.insert($0.address) }
    #expect(found == Set(left.map(\.address)))
    for object in left { cache.deallocate(object, to: memory.frames) }
    end(cache, &own)
  }

  /// The end of a cache in which nothing is in use.
  private func end<Object>(
    _ cache: borrowing SlabCache<Object, OffsetPhysMapper, SpinLock>, _ own: inout SlabMagazines,
    in memory: SlabMemory? = nil
  ) where Object: SlabObject & ~Copyable {
    let memory = memory ?? self.memory
    cache.drain(&own, to: memory.frames)
    let left = cache.drain(to: memory.frames)
    #expect(left == 0)
    #expect(cache.statistics.frameCount == 0)
    #expect(memory.frames.freeFrameCount == memory.frameCount)
  }
}
