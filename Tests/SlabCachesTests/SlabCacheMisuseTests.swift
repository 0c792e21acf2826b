import Foundation
import LabTestSupport
import SlabCaches
import Testing

/// Errors that end the process, each in one of its own.
@Suite struct SlabCacheMisuseTests {
  @Test func aDoubleFreeIsFoundAtTheSlab() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      let memory = SlabMemory()
      let cache = memory.cache(of: Bytes<64>.self)
      let object = try unwrapped(cache.allocate(from: memory.frames))
      cache.deallocate(object, to: memory.frames)
      cache.deallocate(object, to: memory.frames)
    }
    #expect(text(of: result).hasPrefix("heaplab: an object of a slab cache was deallocated twice: 0x"))
  }

  /// Both of the object's rounds come back to its slab, here by the draining.
  @Test func aDoubleFreeIntoMagazinesIsFoundLater() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      let memory = SlabMemory()
      let cache = memory.cache(of: Bytes<64>.self)
      var own = cache.makeMagazines()
      let object = try unwrapped(cache.allocate(through: &own, from: memory.frames))
      cache.deallocate(object, through: &own, to: memory.frames)
      cache.deallocate(object, through: &own, to: memory.frames)
      cache.drain(&own, to: memory.frames)
    }
    #expect(text(of: result).hasPrefix("heaplab: an object of a slab cache was deallocated twice: 0x"))
  }

  @Test func aDoubleFreeIsFoundAtOnceIfAsked() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      let memory = SlabMemory()
      let cache = memory.cache(of: Bytes<64>.self, checks: .atEveryCall)
      var own = cache.makeMagazines()
      let object = try unwrapped(cache.allocate(through: &own, from: memory.frames))
      cache.deallocate(object, through: &own, to: memory.frames)
      cache.deallocate(object, through: &own, to: memory.frames)
      fatalError("not found")
    }
    #expect(text(of: result).hasPrefix("heaplab: an object of a slab cache was deallocated twice: 0x"))
  }

  @Test func anObjectOfAnotherCacheIsFoundAtTheSlab() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      let memory = SlabMemory()
      let cache = memory.cache(of: Bytes<64>.self)
      let other = memory.cache(of: Bytes<64>.self)
      var own = cache.makeMagazines()
      let object = try unwrapped(other.allocate(from: memory.frames))
      cache.deallocate(object, through: &own, to: memory.frames)
      cache.drain(&own, to: memory.frames)
    }
    #expect(text(of: result).hasPrefix(Self.wrongCache))
  }

  @Test func anObjectOfAnotherCacheIsFoundAtOnceIfAsked() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      let memory = SlabMemory()
      let cache = memory.cache(of: Bytes<64>.self, checks: .atEveryCall)
      let other = memory.cache(of: Bytes<64>.self, checks: .atEveryCall)
      var own = cache.makeMagazines()
      let object = try unwrapped(other.allocate(from: memory.frames))
      cache.deallocate(object, through: &own, to: memory.frames)
      fatalError("not found")
    }
    #expect(text(of: result).hasPrefix(Self.wrongCache))
  }

  private static let wrongCache =
    "heaplab: an object must be deallocated to the slab cache that it came from, found: 0x"

  @Test func aFreeAfterTheReleaseOfTheSlabIsFound() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      let memory = SlabMemory()
      let cache = memory.cache(of: Bytes<64>.self)
      let object = try unwrapped(cache.allocate(from: memory.frames))
      cache.deallocate(object, to: memory.frames)
      _ = cache.drain(to: memory.frames)
      cache.deallocate(object, to: memory.frames)
    }
    #expect(text(of: result).hasPrefix(Self.wrongCache))
  }

  @Test func anAddressInsideAnObjectIsFound() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      let memory = SlabMemory()
      let cache = memory.cache(of: Bytes<64>.self)
      let object = try unwrapped(cache.allocate(from: memory.frames))
      let inside = UnsafeMutableRawPointer(object) + 8
      cache.deallocate(inside.assumingMemoryBound(to: Bytes<64>.self), to: memory.frames)
    }
    #expect(
      text(of: result).hasPrefix("heaplab: an address must be the start of an object of the slab cache, found: 0x"))
  }

  @Test func theHeaderIsNoObject() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      let memory = SlabMemory()
      let cache = memory.cache(of: Bytes<64>.self)
      let object = try unwrapped(cache.allocate(from: memory.frames))
      let header = UnsafeMutableRawPointer(object) - 24
      cache.deallocate(header.assumingMemoryBound(to: Bytes<64>.self), to: memory.frames)
    }
    #expect(
      text(of: result).hasPrefix("heaplab: an address must be the start of an object of the slab cache, found: 0x"))
  }

  @Test func magazinesOfAnotherCacheAreRefused() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      let memory = SlabMemory()
      let cache = memory.cache(of: Bytes<64>.self)
      let other = memory.cache(of: Bytes<64>.self)
      var own = other.makeMagazines()
      _ = cache.allocate(through: &own, from: memory.frames)
    }
    #expect(
      text(of: result) == "heaplab: a processor's magazines must be used with the slab cache they were made for\n")
  }

  @Test func magazinesMustBeDrained() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      let memory = SlabMemory()
      let cache = memory.cache(of: Bytes<64>.self)
      var own = cache.makeMagazines()
      _ = cache.allocate(through: &own, from: memory.frames)
    }
    #expect(text(of: result) == "heaplab: a processor's magazines must be drained before they go away\n")
  }

  @Test func aCacheWithObjectsInUseMustNotGoAway() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      let memory = SlabMemory()
      let cache = memory.cache(of: Bytes<64>.self)
      _ = cache.allocate(from: memory.frames)
      _ = cache.allocate(from: memory.frames)
    }
    #expect(
      text(of: result)
        == "heaplab: a slab cache must be drained, with no object in use, before it goes away; objects in use: 0x2\n")
  }

  @Test func objectsAreNotTooLarge() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = SlabLayout(byteCount: 16385, alignment: 8, hasHeldBits: false)
    }
    #expect(text(of: result) == "heaplab: an object of a slab cache must have 1 to 16384 bytes, found: 0x4001\n")
  }

  @Test func alignmentsArePowersOfTwo() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = SlabLayout(byteCount: 8, alignment: 48, hasHeldBits: false)
    }
    #expect(
      text(of: result) == "heaplab: an alignment in a slab cache must be a power of two up to 4096, found: 0x30\n")
  }
}
