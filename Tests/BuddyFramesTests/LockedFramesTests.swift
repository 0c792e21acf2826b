import Addresses
import BuddyFrames
import LabTestSupport
import SpinLocks
import Testing

@Suite struct LockedFramesTests {
  private static let range = AddrRange<PhysAddr>(frames: 16384, from: 1 << 18)

  @Test func aCacheTakesAndGivesInBatches() throws {
    let memory = TableMemory(for: Self.range)
    let shared = LockedFrames(memory.frames(over: Self.range))
    var cache = FrameCache(for: shared)
    let first = try unwrapped(shared.allocate(.min, through: &cache))
    #expect(first == Self.range.start)
    #expect(shared.freeFrameCount == 16384 - 32)
    #expect(cache.frameCount == 31)
    #expect(shared.frames.withLock { $0.use(of: first + 4096) } == .cached(first + 4096, .min))
    // The block freed last is allocated first.
    shared.deallocate(first, order: .min, through: &cache)
    #expect(shared.allocate(.min, through: &cache) == first)
    let large = try unwrapped(shared.allocate(FrameOrder(9), through: &cache))
    #expect(shared.freeFrameCount == 16384 - 32 - 4 * 512)
    let other = try unwrapped(shared.allocate(FrameOrder(3), through: &cache))
    shared.deallocate(other, order: FrameOrder(3), through: &cache)
    shared.deallocate(large, order: FrameOrder(9), through: &cache)
    shared.deallocate(first, order: .min)
    shared.drain(&cache)
    #expect(cache.frameCount == 0)
    #expect(shared.freeFrameCount == 16384)
    try shared.frames.withLock { frames throws(BuddyFramesDefect) in try frames.checkConsistency() }
  }

  @Test func aFullCacheGivesHalfBack() throws {
    let memory = TableMemory(for: Self.range)
    let shared = LockedFrames(memory.frames(over: Self.range))
    var cache = FrameCache(for: shared)
    var held: [PhysAddr] = []
    for _ in 0..<1000 { held.append(try unwrapped(shared.allocate(.min, through: &cache))) }
    #expect(Set(held).count == 1000)
    for address in held {
      shared.deallocate(address, order: .min, through: &cache)
      #expect(cache.frameCount <= 64)
    }
    #expect(shared.freeFrameCount + UInt64(cache.frameCount) == 16384)
    shared.drain(&cache)
    #expect(shared.freeFrameCount == 16384)
  }

  @Test func exhaustionIsNil() throws {
    let range = AddrRange<PhysAddr>(frames: 10, from: 3)
    let memory = TableMemory(for: range)
    let shared = LockedFrames(memory.frames(over: range))
    var cache = FrameCache(for: shared)
    for _ in 0..<10 { _ = try unwrapped(shared.allocate(.min, through: &cache)) }
    #expect(shared.allocate(.min, through: &cache) == nil)
    #expect(shared.allocate(FrameOrder(9), through: &cache) == nil)
    shared.drain(&cache)
  }

  /// Threads allocate and deallocate frames, their own and each other's, with and without a cache. Each writes its mark
  /// into the owner words of its frames, which exposes two holders of one frame.
  @Test(arguments: [UInt64(1), 2])
  func threadsNeverShareAFrame(seed: UInt64) throws {
    let memory = TableMemory(for: Self.range)
    let shared = LockedFrames(memory.frames(over: Self.range))
    let exchange = Locked<[(PhysAddr, FrameOrder)]>([])
    runThreads(8, seed, shared, exchange)
    for (address, order) in exchange.withLock({ $0 }) { shared.deallocate(address, order: order) }
    #expect(shared.freeFrameCount == 16384, "seed \(seed)")
    try shared.frames.withLock { frames throws(BuddyFramesDefect) in try frames.checkConsistency() }
  }
}

/// Frames that an interrupt handler uses too.
private final class InterruptSafeFrames: @unchecked Sendable {
  static let shared = InterruptSafeFrames()

  let memory = TableMemory(for: AddrRange(frames: 1024, from: 1024))
  let frames: LockedFramesBy<InterruptSafeLock<SpinLock, SignalInterrupts>>

  init() { frames = LockedFramesBy(memory.frames(over: AddrRange(frames: 1024, from: 1024))) }
}

extension LockedFramesTests {
  /// The handler allocates while its thread is amid an allocation: it waits for the release, and both get frames.
  @Test func aHandlerAllocatesInterruptSafeFrames() throws {
    let handler: @convention(c) (CInt) -> Void = { _ in _ = InterruptSafeFrames.shared.frames.allocate(.min) }
    let shared = InterruptSafeFrames.shared
    SignalInterrupts.handling(handler) {
      Threads.run(1) { _ in
        SignalInterrupts.enable()
        shared.frames.frames.withLock { frames in
          SignalInterrupts.request()
          precondition(frames.allocate(.min) == PhysAddr(1024 << 12))
        }
        precondition(shared.frames.freeFrameCount == 1022)
      }
    }
    shared.frames.deallocate(PhysAddr(1025 << 12), order: .min)
    #expect(shared.frames.freeFrameCount == 1023)
  }
}

/// The work of each thread of `threadsNeverShareAFrame`.
private func work(
  _ thread: Int, _ seed: UInt64, _ shared: borrowing LockedFrames,
  _ exchange: borrowing Locked<[(PhysAddr, FrameOrder)]>
) {
  var random = SeededGenerator(seed: seed << 8 | UInt64(thread))
  var cache = FrameCache(for: shared)
  var held: [(PhysAddr, FrameOrder)] = []
  func giveBack(_ block: (PhysAddr, FrameOrder)) {
    let mark = shared.table.owner(of: block.0)
    guard mark != 0 else { fatalError("two holders of the frame at \(block.0), seed \(seed)") }
    shared.table.setOwner(0, of: block.0)
    if Bool.random(using: &random) {
      shared.deallocate(block.0, order: block.1, through: &cache)
    } else {
      shared.deallocate(block.0, order: block.1)
    }
  }
  for _ in 0..<4000 {
    switch Int.random(in: 0..<10, using: &random) {
    case 0..<5:
      let order = FrameOrder([0, 0, 0, 0, 0, 0, 1, 9][Int.random(in: 0..<8, using: &random)])
      guard let address = shared.allocate(order, through: &cache) else { continue }
      guard shared.table.owner(of: address) == 0 else { fatalError("the frame at \(address) is held, seed \(seed)") }
      shared.table.setOwner(UInt64(thread + 1), of: address)
      held.append((address, order))
    case 5..<9:
      guard !held.isEmpty else { continue }
      giveBack(held.remove(at: Int.random(in: 0..<held.count, using: &random)))
    default:
      // Swap a block with another thread.
      let mine = held.popLast()
      let theirs = exchange.withLock { blocks -> (PhysAddr, FrameOrder)? in
        let other = blocks.popLast()
        if let mine { blocks.append(mine) }
        return other
      }
      if let theirs { giveBack(theirs) }
    }
  }
  for block in held { giveBack(block) }
  shared.drain(&cache)
}

private func runThreads(
  _ count: Int, _ seed: UInt64, _ shared: borrowing LockedFrames,
  _ exchange: borrowing Locked<[(PhysAddr, FrameOrder)]>
) {
  // The threads end before the borrowed values do. A closure cannot express that, hence the addresses.
  withUnsafePointer(to: shared) { shared in
    withUnsafePointer(to: exchange) { exchange in
      let (sharedAddress, exchangeAddress) = (UInt(bitPattern: shared), UInt(bitPattern: exchange))
      Threads.run(count) { thread in
        guard let shared = UnsafePointer<LockedFrames>(bitPattern: sharedAddress),
          let exchange = UnsafePointer<Locked<[(PhysAddr, FrameOrder)]>>(bitPattern: exchangeAddress)
        else { return }
        work(thread, seed, shared.pointee, exchange.pointee)
      }
    }
  }
}
