import Addresses
import BuddyFrames
import Testing

/// A range of frames to test on: how many, and the number of the first.
struct FrameSpan: CustomTestStringConvertible, Sendable {
  let count: UInt64
  let first: UInt64
  var testDescription: String { "\(count) frames from \(first)" }

  static let odd = [
    FrameSpan(count: 1, first: 1), FrameSpan(count: 63, first: 1), FrameSpan(count: 64, first: 64),
    FrameSpan(count: 100, first: 0x3FFF0), FrameSpan(count: 777, first: 4095), FrameSpan(count: 4096, first: 4096),
    FrameSpan(count: 5000, first: 0x7_FFFF_0123), FrameSpan(count: 9001, first: 0x40000 - 4500),
  ]
}

@Suite struct BuddyFramesModelTests {
  /// Random operations of every kind; the allocator must agree with the model on each address.
  @Test(arguments: FrameSpan.odd, [UInt64(1), 2, 3])
  func agreesWithTheModel(span: FrameSpan, seed: UInt64) throws {
    let range = AddrRange<PhysAddr>(frames: span.count, from: span.first)
    let memory = TableMemory(for: range)
    var frames = memory.frames(over: range)
    var model = FrameModel(frames: span.count, from: span.first)
    var random = SeededGenerator(seed: seed)
    var held: [PhysAddr] = []
    for step in 0..<3000 {
      // Phases in which the range fills, empties and stays half full.
      let allocates = Int.random(in: 0..<100, using: &random) < [70, 30, 50][step / 1000]
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
      if step % 97 == 0 || span.count < 100 {
        try frames.checkConsistency()
        #expect(frames.freeFrameCount == model.freeCount, "step \(step), seed \(seed)")
        let counts = frames.freeBlocks
        try #require(
          (0..<19).map { counts[FrameOrder($0)] } == model.freeBlocks, "step \(step), seed \(seed)")
      }
    }
    for address in held { frames.deallocate(address, order: try #require(model.blocks[address])) }
    try frames.checkConsistency()
    #expect(frames.freeFrameCount == span.count)
  }
}

/// SplitMix64 (Steele, Lea and Flood 2014): small, and the same everywhere.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
