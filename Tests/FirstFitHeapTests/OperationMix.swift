/// A mix of requests under which the heap and the plain list walk must agree.
enum OperationMix: String, CaseIterable, Sendable {
  /// The sizes that most programs request most of the time.
  case small
  /// From one page to a few hundred.
  case large
  /// Every magnitude from 1 byte to 64 KiB equally often.
  case wide
  /// One size only: every hole fits exactly or is a multiple.
  case uniform
  /// Alignments up to 4 KiB on every second request.
  case aligned
  /// As many resizes as allocations and deallocations.
  case resizing
  /// The youngest block goes first, as on a stack, but one in eight outlives it.
  case lastInFirstOut
  /// The oldest block goes first, as in a queue, but one in 32 goes out of turn.
  case firstInFirstOut
  /// Fills up, then frees nearly everything, again and again.
  case sawtooth
  /// Robson's adversary: sizes double from phase to phase, and every second block of a phase stays.
  case doubling
  /// A heap too small for the requests: many get nil.
  case exhausted
  /// Seven ranges with gaps.
  case disjoint
  /// A heap whose end moves up and down.
  case breathing
  /// Four ranges whose free ends are released and returned, as are the ranges that are wholly free.
  case shedding

  /// The size of each of the heap's ranges in bytes.
  var rangeByteCounts: [UInt] {
    switch self {
    case .large: [192 << 20]
    case .exhausted: [96 << 10]
    case .disjoint: [40 << 10, 71, 72, 9 << 10, 200 << 10, 3000, 1 << 20]
    case .shedding: [64 << 10, 30 << 10, 300 << 10, 200 << 10]
    default: [24 << 20]
    }
  }

  /// About how many blocks live at once.
  var liveCount: Int {
    switch self {
    case .large, .aligned: 500
    case .doubling: 2000
    case .sawtooth: 3000
    case .shedding: 60
    default: 1200
    }
  }

  func byteCount(step: Int, using generator: inout some RandomNumberGenerator) -> UInt {
    switch self {
    case .small, .lastInFirstOut, .firstInFirstOut, .breathing: UInt.random(in: 0...256, using: &generator)
    case .large: UInt.random(in: 4096...(512 << 10), using: &generator)
    case .uniform: 40
    case .doubling: 24 << UInt(step / 4000 % 9)
    case .wide, .aligned, .resizing, .sawtooth, .exhausted, .disjoint, .shedding:
      UInt.random(in: 0..<(1 << UInt.random(in: 1...16, using: &generator)), using: &generator)
    }
  }

  func alignment(using generator: inout some RandomNumberGenerator) -> UInt {
    switch self {
    case .aligned, .disjoint, .exhausted, .shedding:
      Bool.random(using: &generator) ? 1 << UInt.random(in: 0...12, using: &generator) : 16
    default: 16
    }
  }

  /// How many of 100 steps that do not allocate resize a block.
  var resizeShare: Int {
    switch self {
    case .resizing: 60
    case .uniform, .doubling: 0
    default: 10
    }
  }

  /// The index of the next live block to go, oldest first.
  func victim(of liveCount: Int, step: Int, using generator: inout some RandomNumberGenerator) -> Int {
    switch self {
    case .lastInFirstOut where step % 8 != 0: liveCount - 1
    case .firstInFirstOut where step % 32 != 0: 0
    case .doubling: min(liveCount - 1, step * 2 % liveCount)
    default: Int.random(in: 0..<liveCount, using: &generator)
    }
  }

  /// Whether a step allocates while `count` blocks live.
  func allocates(step: Int, live count: Int, using generator: inout some RandomNumberGenerator) -> Bool {
    if count == 0 { return true }
    if self == .sawtooth || self == .shedding { return step / liveCount % 2 == 0 }
    return Int.random(in: 0..<(2 * liveCount), using: &generator) >= count
  }
}
