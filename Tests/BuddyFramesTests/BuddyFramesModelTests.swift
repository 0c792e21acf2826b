import Addresses
import BuddyFrames
import LabTestSupport
import Testing

/// A range of frames to test on: the count and the number of the first.
struct FrameSpan: CustomTestStringConvertible, Sendable {
  let count: UInt64
  let first: UInt64
  var testDescription: String { "\(count) frames from \(first)" }
  var range: AddrRange<PhysAddr> { AddrRange(frames: count, from: first) }

  static let odd = [
    FrameSpan(count: 1, first: 1), FrameSpan(count: 63, first: 1), FrameSpan(count: 64, first: 64),
    FrameSpan(count: 100, first: 0x3FFF0), FrameSpan(count: 777, first: 4095), FrameSpan(count: 4096, first: 4096),
    FrameSpan(count: 5000, first: 0x7_FFFF_0123), FrameSpan(count: 9001, first: 0x40000 - 4500),
  ]

  static let large = [
    FrameSpan(count: 3 << 18, first: 1 << 18), FrameSpan(count: 1_000_003, first: 0xFF_FFFF),
    FrameSpan(count: 70 << 18, first: 0x3_F000),
  ]
}

@Suite struct BuddyFramesModelTests {
  /// Random blocks of every order: the allocator must agree with a set of frames on every address.
  @Test(arguments: FrameSpan.odd, [UInt64(1), 2])
  func blocksAgreeWithASetOfFrames(span: FrameSpan, seed: UInt64) throws {
    let memory = TableMemory(for: span.range)
    var frames = memory.frames(over: span.range)
    var model = FrameModel(frames: span.count, from: span.first)
    var random = SeededGenerator(seed: seed)
    var held: [PhysAddr] = []
    for step in 0..<2000 {
      // Phases in which the range fills, empties and stays half full.
      let allocates = Int.random(in: 0..<100, using: &random) < [70, 30, 50, 52][step / 500]
      if allocates || held.isEmpty {
        let order = FrameOrder(
          UInt8(min(Int.random(in: 0...13, using: &random), Int.random(in: 0...13, using: &random))))
        let expected = model.lowestRun(order)
        let address = frames.allocate(order)
        try #require(address == expected, "step \(step), seed \(seed), \(order)")
        if let address {
          model.allocate(order, at: address)
          held.append(address)
        }
      } else {
        let address = held.remove(at: Int.random(in: 0..<held.count, using: &random))
        let order = try #require(model.blocks[address])
        frames.deallocate(address, order: order)
        model.deallocate(address)
      }
      if step % 97 == 0 { try expectEqual(&frames, model, "step \(step), seed \(seed)") }
    }
    for address in held { frames.deallocate(address, order: try #require(model.blocks[address])) }
    try frames.checkConsistency()
    #expect(frames.freeFrameCount == span.count)
  }

  /// Mostly single frames, in bursts and alternately: the path that leaves notes open.
  @Test(arguments: FrameSpan.odd, [UInt64(31), 32])
  func framesAgreeWithASetOfFrames(span: FrameSpan, seed: UInt64) throws {
    let memory = TableMemory(for: span.range)
    var frames = memory.frames(over: span.range)
    var model = FrameModel(frames: span.count, from: span.first)
    var random = SeededGenerator(seed: seed)
    var held: [PhysAddr] = []
    for burst in 0..<200 {
      let allocates = Bool.random(using: &random)
      for _ in 0..<Int.random(in: 1...(burst % 3 == 0 ? 200 : 2), using: &random) {
        if allocates {
          let order = FrameOrder(
            Int.random(in: 0..<40, using: &random) == 0 ? UInt8.random(in: 1...8, using: &random) : 0)
          let expected = model.lowestRun(order)
          try #require(frames.allocate(order) == expected, "burst \(burst), seed \(seed), \(order)")
          guard let address = expected else { continue }
          model.allocate(order, at: address)
          held.append(address)
        } else if !held.isEmpty {
          let address = held.remove(at: Int.random(in: 0..<held.count, using: &random))
          frames.deallocate(address, order: try #require(model.blocks[address]))
          model.deallocate(address)
        }
      }
      if burst % 20 == 0 { try expectEqual(&frames, model, "burst \(burst), seed \(seed)") }
    }
  }

  /// Runs of any length, runs at an address, splitting and joining, reservations.
  @Test(arguments: FrameSpan.odd, [UInt64(11), 12])
  func rangesAgreeWithASetOfFrames(span: FrameSpan, seed: UInt64) throws {
    let memory = TableMemory(for: span.range)
    var frames = memory.frames(over: span.range)
    var model = FrameModel(frames: span.count, from: span.first)
    var random = SeededGenerator(seed: seed)
    for step in 0..<600 {
      switch Int.random(in: 0..<6, using: &random) {
      case 0:
        let count = UInt64.random(in: 1...max(1, span.count / 4), using: &random)
        let order = try #require(FrameOrder(fitting: count))
        let run = frames.allocate(frameCount: count)
        try #require(run?.start == model.lowestRun(order), "step \(step), seed \(seed)")
        if let run { model.allocate(frames: count, at: run.start) }
      case 1:
        let run = randomRun(span, &random)
        let isFree = model.isWhollyFree(run.start.raw >> 12, run.byteCount >> 12)
        try #require(frames.isFree(run) == isFree)
        try #require(frames.allocate(at: run) == isFree, "step \(step), seed \(seed)")
        if isFree { model.allocate(frames: run.byteCount >> 12, at: run.start) }
      case 2:
        guard let (address, order) = model.blocks.randomBlock(using: &random) else { continue }
        let parts = FrameOrder(UInt8.random(in: 0...order.rawValue, using: &random))
        frames.split(address, order: order, into: parts)
        model.replace(address, order, with: parts)
        if Bool.random(using: &random) {
          frames.join(address, order: order, from: parts)
          model.replace(address, parts, with: order)
        }
      case 3:
        let run = randomRun(span, &random)
        if model.isWhollyFree(run.start.raw >> 12, run.byteCount >> 12) {
          frames.reserve(run)
          #expect(frames.reservedFrameCount == run.byteCount >> 12)
          // Deallocating it in two parts splits the blocks that hold it.
          let middle = run.start + UInt64.random(in: 0...run.byteCount >> 12, using: &random) << 12
          frames.unreserve(run.split(at: middle).above)
          try frames.checkConsistency()
          frames.unreserve(run.split(at: middle).below)
          #expect(frames.reservedFrameCount == 0)
        }
      default:
        for _ in 0..<4 {
          guard let (address, order) = model.blocks.randomBlock(using: &random) else { continue }
          if Bool.random(using: &random) {
            frames.deallocate(address, order: order)
          } else {
            frames.deallocate(AddrRange(start: address, byteCount: order.byteCount))
          }
          model.deallocate(address)
        }
      }
      if step % 29 == 0 { try expectEqual(&frames, model, "step \(step), seed \(seed)") }
    }
    try expectEqual(&frames, model, "end, seed \(seed)")
  }

  /// All orders up to 18 over gigabytes, against the textbook buddy.
  @Test(arguments: FrameSpan.large, [UInt64(21)])
  func largeRangesAgreeWithTheTextbook(span: FrameSpan, seed: UInt64) throws {
    let memory = TableMemory(for: span.range)
    var frames = memory.frames(over: span.range)
    var model = TextbookBuddy(frames: span.count, from: span.first)
    var random = SeededGenerator(seed: seed)
    var held: [(PhysAddr, UInt8)] = []
    for step in 0..<4000 {
      if Int.random(in: 0..<100, using: &random) < (step < 2000 ? 60 : 42) || held.isEmpty {
        let order = UInt8.random(in: 0...18, using: &random)
        let address = frames.allocate(FrameOrder(order))
        try #require(address == model.allocate(order), "step \(step), seed \(seed), order \(order)")
        if let address { held.append((address, order)) }
      } else {
        let (address, order) = held.remove(at: Int.random(in: 0..<held.count, using: &random))
        frames.deallocate(address, order: FrameOrder(order))
        model.deallocate(address, order)
      }
      if step % 50 == 0 {
        let counts = frames.freeBlocks
        try #require((0..<19).map { counts[FrameOrder($0)] } == model.counts, "step \(step), seed \(seed)")
      }
    }
    for (address, order) in held { frames.deallocate(address, order: FrameOrder(order)) }
    #expect(frames.freeFrameCount == span.count)
    #expect(frames.freeBlocks.frameCount == span.count)
  }

  private func randomRun(_ span: FrameSpan, _ random: inout SeededGenerator) -> AddrRange<PhysAddr> {
    let first = UInt64.random(in: 0..<span.count, using: &random)
    let count = UInt64.random(in: 1...min(span.count - first, 700), using: &random)
    return AddrRange(frames: count, from: span.first + first)
  }

  private func expectEqual(_ frames: inout BuddyFrames, _ model: FrameModel, _ when: String) throws {
    try frames.checkConsistency()
    try #require(frames.freeFrameCount == model.freeCount, "\(when)")
    let counts = frames.freeBlocks
    try #require((0..<19).map { counts[FrameOrder($0)] } == model.freeBlocks, "\(when)")
  }
}

extension [PhysAddr: FrameOrder] {
  /// A random block, the same for the same seed.
  fileprivate func randomBlock(using random: inout SeededGenerator) -> (PhysAddr, FrameOrder)? {
    keys.sorted().randomElement(using: &random).flatMap { address in self[address].map { (address, $0) } }
  }
}
