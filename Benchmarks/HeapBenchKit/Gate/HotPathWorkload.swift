// The requests to a heap while its instructions are counted. The steps are a list that is made in advance. One short
// loop can then run every workload, and only the heap makes one count differ from another.

/// A short workload for one path of a heap, the same for every policy.
public enum HotPathWorkload: String, CaseIterable, Sendable {
  /// A block of 64 bytes is allocated and freed.
  case pair = "pair-64"
  /// A block at a multiple of 4 KiB is allocated and freed.
  case alignedPair = "pair-aligned"
  /// 1,000 blocks of 16 to 512 bytes are allocated, and freed from the last to the first.
  case lastInFirstOut = "lifo-batch"
  /// The same, freed from the first to the last.
  case firstInFirstOut = "fifo-batch"
  /// Blocks of 16 to 512 bytes come and go at random places among 1,000.
  case randomSlots = "random-slots"
  /// A block grows from 16 bytes to 16 KiB in steps of an eighth.
  case growth

  /// One call of the heap.
  struct Step: Sendable {
    enum Kind: Sendable { case allocate, deallocate, resize }
    var kind: Kind
    var slot: Int
    var byteCount: UInt = 0
    var alignment: UInt = 16
  }

  /// The most blocks that are live at once.
  static let slotCount = 1000

  /// The least number of steps; the last round of a workload may take more.
  static let stepCount = 20_000

  /// The steps. They free every block that they allocate, and can be taken again.
  var steps: [Step] {
    var random = ReproducibleRandom(seed: 5)
    var steps: [Step] = []
    func allocate(_ slot: Int) {
      steps.append(Step(kind: .allocate, slot: slot, byteCount: 16 + UInt(random.below(497))))
    }
    func deallocate(_ slot: Int) { steps.append(Step(kind: .deallocate, slot: slot)) }
    while steps.count < Self.stepCount {
      switch self {
      case .pair:
        steps += [Step(kind: .allocate, slot: 0, byteCount: 64), Step(kind: .deallocate, slot: 0)]
      case .alignedPair:
        steps += [
          Step(kind: .allocate, slot: 0, byteCount: 256, alignment: 4096), Step(kind: .deallocate, slot: 0),
        ]
      case .lastInFirstOut:
        for slot in 0..<Self.slotCount { allocate(slot) }
        for slot in (0..<Self.slotCount).reversed() { deallocate(slot) }
      case .firstInFirstOut:
        for slot in 0..<Self.slotCount { allocate(slot) }
        for slot in 0..<Self.slotCount { deallocate(slot) }
      case .randomSlots:
        var isLive = [Bool](repeating: false, count: Self.slotCount)
        for _ in 0..<Self.stepCount {
          let slot = random.index(below: Self.slotCount)
          if isLive[slot] { deallocate(slot) } else { allocate(slot) }
          isLive[slot].toggle()
        }
        for slot in isLive.indices where isLive[slot] { deallocate(slot) }
      case .growth:
        var byteCount: UInt = 16
        steps.append(Step(kind: .allocate, slot: 0, byteCount: byteCount))
        while byteCount < 16 << 10 {
          byteCount += max(16, byteCount / 8)
          steps.append(Step(kind: .resize, slot: 0, byteCount: byteCount))
        }
        deallocate(0)
      }
    }
    return steps
  }
}
