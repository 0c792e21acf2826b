import Addresses
import BuddyFrames
import Foundation
import LabTestSupport
import Testing

// Each misuse ends a child process with a line that names it.

@Suite struct BuddyFramesMisuseTests {
  /// An allocator over 4096 frames from 1 GiB on, with a block of two frames allocated at its start.
  private static func withFrames(_ body: (inout BuddyFrames, PhysAddr) -> Void) {
    let range = AddrRange<PhysAddr>(frames: 4096, from: 1 << 18)
    let memory = TableMemory(for: range)
    var frames = memory.frames(over: range)
    guard let block = frames.allocate(FrameOrder(1)) else { return }
    body(&frames, block)
  }

  @Test func deallocatingTwice() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      Self.withFrames { frames, block in
        frames.deallocate(block, order: FrameOrder(1))
        frames.deallocate(block, order: FrameOrder(1))
      }
    }
    #expect(
      text(of: result)
        == "heaplab: a frame in use was expected, found one that is free (never allocated, or deallocated twice): 0x40000000\n"
    )
  }

  @Test func deallocatingAFrameTwice() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      Self.withFrames { frames, _ in
        guard let frame = frames.allocate(.size4KiB) else { return }
        frames.deallocate(frame)
        frames.deallocate(frame)
      }
    }
    #expect(text(of: result).hasSuffix("(never allocated, or deallocated twice): 0x40002000\n"))
  }

  @Test func deallocatingWithTheWrongOrder() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      Self.withFrames { frames, block in frames.deallocate(block, order: .min) }
    }
    #expect(
      text(of: result)
        == "heaplab: a frame must be deallocated with the order it was allocated with, found: 0x40000000\n")
  }

  @Test func deallocatingAFrameInsideABlock() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      Self.withFrames { frames, block in frames.deallocate(block + 4096, order: .min) }
    }
    #expect(text(of: result) == "heaplab: a block must be named by its first frame, found one inside it: 0x40001000\n")
  }

  @Test func deallocatingAForeignFrame() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      Self.withFrames { frames, _ in frames.deallocate(PhysAddr(0x1000), order: .min) }
    }
    #expect(text(of: result) == "heaplab: a frame must be one of this allocator's, found: 0x1000\n")
  }

  @Test func deallocatingAMisalignedAddress() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      Self.withFrames { frames, block in frames.deallocate(block + 8, order: FrameOrder(1)) }
    }
    #expect(text(of: result) == "heaplab: a frame must be named by its first address, found: 0x40000008\n")
  }

  @Test func deallocatingAReservedFrame() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      Self.withFrames { frames, block in
        frames.reserve(AddrRange(start: block + 0x10000, byteCount: 0x1000))
        frames.deallocate(block + 0x10000, order: .min)
      }
    }
    #expect(text(of: result) == "heaplab: a frame in use was expected, found a reserved one: 0x40010000\n")
  }

  @Test func deallocatingASharedFrame() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      Self.withFrames { frames, _ in
        guard let frame = frames.allocate(.size4KiB) else { return }
        frames.retain(frame)
        frames.deallocate(frame)
      }
    }
    #expect(
      text(of: result)
        == "heaplab: a frame with several holders must be released by each of them, not deallocated: 0x40002000\n")
  }

  @Test func releasingAFreeFrame() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      Self.withFrames { frames, _ in
        guard let frame = frames.allocate(.size4KiB) else { return }
        _ = frames.release(frame)
        _ = frames.release(frame)
      }
    }
    #expect(text(of: result).hasSuffix("(never allocated, or deallocated twice): 0x40002000\n"))
  }

  @Test func reservingAnAllocatedFrame() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      Self.withFrames { frames, _ in frames.reserve(frames.range) }
    }
    #expect(
      text(of: result)
        == "heaplab: a frame that is allocated can be neither reserved nor unreserved: 0x40000000\n")
  }

  @Test func unreservingAFreeFrame() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      Self.withFrames { frames, block in frames.unreserve(AddrRange(start: block + 0x8000, byteCount: 0x2000)) }
    }
    #expect(text(of: result) == "heaplab: only reserved frames can be made free, found: 0x40008000\n")
  }

  @Test func givingBackPartOfABlock() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      Self.withFrames { frames, block in frames.deallocate(AddrRange(start: block, byteCount: 0x1000)) }
    }
    #expect(
      text(of: result) == "heaplab: a range given back must not end inside a block, found one at: 0x40000000\n")
  }

  @Test func aTableThatIsTooSmall() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      let range = AddrRange<PhysAddr>(frames: 4096, from: 1 << 18)
      let memory = TableMemory(byteCount: 4096)
      _ = memory.frames(over: range)
    }
    #expect(text(of: result).hasPrefix("heaplab: a frame table needs more memory than it was given, in bytes: 0x"))
  }

  @Test func aCacheThatIsNotDrained() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      let range = AddrRange<PhysAddr>(frames: 4096, from: 1 << 18)
      let memory = TableMemory(for: range)
      let shared = LockedFrames(memory.frames(over: range))
      var cache = FrameCache(for: shared)
      _ = shared.allocate(.min, through: &cache)
    }
    #expect(text(of: result) == "heaplab: a frame cache must be drained before it goes away\n")
  }

  @Test func deallocatingTwiceThroughACache() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      let range = AddrRange<PhysAddr>(frames: 4096, from: 1 << 18)
      let memory = TableMemory(for: range)
      let shared = LockedFrames(memory.frames(over: range))
      var cache = FrameCache(for: shared)
      guard let frame = shared.allocate(.min, through: &cache) else { return }
      shared.deallocate(frame, order: .min, through: &cache)
      shared.deallocate(frame, order: .min, through: &cache)
    }
    #expect(
      text(of: result) == "heaplab: a frame in use was expected, found one in a cache (deallocated twice): 0x40000000\n"
    )
  }
}
