internal import CLabRecord
internal import CallFrames

// Walks a call stack by the rules of its functions, each of which is read once and kept by the thread. It takes a third
// of libunwind's time, and needs no memory but the thread's own. A frame without a simple rule ends the walk: then
// libunwind unwinds the stack from the start. A library that replaces another one at the same address could leave a
// stale rule: libunwind's own cache has the same weakness.

/// The registers in a frame.
struct StackPosition: Equatable {
  /// The return address into the frame's function.
  var address: UInt
  var stackPointer: UInt
  var framePointer: UInt
}

/// The calling thread's walks over its stack.
struct StackWalk {
  /// The rules that a thread keeps: an address and a rule each.
  private static var ruleCount: UInt { 8192 }
  private static var rulesByteCount: UInt { ruleCount * 16 }
  /// The memory of a thread's rules and of its last walk's frames.
  static var byteCount: UInt { rulesByteCount + WalkedFrame.poolByteCount }
  /// A frame is at most that large.
  private static var frameByteCountMax: UInt { 1 << 20 }

  private let rules: UInt
  @inline(__always) private var pool: UInt { rules &+ StackWalk.rulesByteCount }

  /// - Parameter memory: `byteCount` bytes of the thread's own, zeros at first.
  @inline(__always) init(memory: UInt) { rules = memory }

  /// Walks over at most `count` frames, from the innermost one outside this library on.
  ///
  /// - Returns: Their number, 0 where the walk met a frame without a simple rule, and the hash of their return addresses.
  @inline(__always) func walk(_ count: UInt) -> (count: UInt, hash: UInt64) {
    #if arch(x86_64)
      // The functions of this library keep frame pointers.
      var frame = lab_record_frame_pointer()
      while lab_record_is_own_code(lab_record_load(frame &+ 8)) != 0 { frame = lab_record_load(frame) }
      let start = StackPosition(
        address: lab_record_load(frame &+ 8), stackPointer: frame &+ 16, framePointer: lab_record_load(frame))
      return walk(from: start, count)
    #else
      return (0, 0)
    #endif
  }

  /// Stores the return addresses of the last walk, which had `count` frames, the innermost first.
  func storeAddresses(_ count: UInt, at place: UInt) {
    var frame = WalkedFrame.innermost(in: pool, leaving: 0)
    for index in 0..<count {
      lab_record_set(place &+ index &* 8, UInt64(frame.address))
      frame = frame.caller
    }
  }

  /// The hash of a stack with one frame more.
  @inline(__always) static func hash(_ hash: UInt64, _ address: UInt) -> UInt64 {
    let product = (hash ^ UInt64(address)) &* 0x9E37_79B9_7F4A_7C15
    return product ^ product >> 32
  }

  @inline(__always) private func walk(from start: StackPosition, _ countMax: UInt) -> (count: UInt, hash: UInt64) {
    var old = WalkedFrame.innermost(in: pool, leaving: countMax)
    var position = start
    var frame = WalkedFrame.none
    var step = Step(outcome: .caller)
    var hash: UInt64 = 0
    var count: UInt = 0
    while true {
      old = old.outward(to: position.stackPointer)
      let isOld = old != .none && old.position == position
      let next = isOld ? old : WalkedFrame.make(position, in: pool)
      if frame == .none { next.begin(in: pool) } else { frame.link(to: next, step, in: pool) }
      frame = next
      hash = StackWalk.hash(hash, frame.address)
      count &+= 1
      while count < countMax {
        let caller = frame.unchangedCaller
        if caller == .none { break }
        frame = caller
        hash = StackWalk.hash(hash, frame.address)
        count &+= 1
      }
      if count == countMax { break }
      if isOld {
        old = frame
        position = frame.position
      }
      step = stepOut(&position)
      if step.outcome == .end { break }
      if step.outcome == .complex { return (0, 0) }
    }
    return (count, hash)
  }

  /// How a step to a frame's caller went.
  struct Step {
    enum Outcome {
      case caller, end, complex
    }

    var outcome: Outcome
    /// Whether the frame alone says where its return address is, and where the saved frame pointer.
    var isPlain = true
    /// Where the caller's frame pointer was; 0 if still in its register.
    var savedPlace: UInt = 0
  }

  /// Goes to the caller.
  @inline(__always) private func stepOut(_ position: inout StackPosition) -> Step {
    let entry = rules &+ (position.address ^ position.address >> 11) % StackWalk.ruleCount &* 16
    if lab_record_load(entry) != position.address { StackWalk.learn(position.address, entry) }
    let word = UInt64(lab_record_load(entry &+ 8))
    guard word & UnwindRule.Bits.isPlain != 0 else { return StackWalk.stepOut(&position, UnwindRule(word: word)) }
    let base = word & UnwindRule.Bits.hasFramePointerBase != 0 ? position.framePointer : position.stackPointer
    let frame = base &+ UInt(bitPattern: Int(Int64(bitPattern: word) >> 32))
    // A frame pointer that a function used for something else is no address.
    guard StackWalk.isFrame(frame, below: position) else { return Step(outcome: .complex) }
    var step = Step(outcome: .caller)
    let offset = Int16(truncatingIfNeeded: word >> UnwindRule.Bits.savedOffsetShift)
    if offset != 0 {
      step.savedPlace = frame &+ UInt(bitPattern: Int(offset))
      position.framePointer = lab_record_load(step.savedPlace)
    }
    position.stackPointer = frame
    position.address = lab_record_load(frame &- 8)
    if position.address == 0 { step.outcome = .end }
    return step
  }

  @inline(__always) private static func isFrame(_ frame: UInt, below position: StackPosition) -> Bool {
    frame &- position.stackPointer &- 1 < frameByteCountMax && frame % 8 == 0
  }

  /// Goes to the caller by a rule that is not plain.
  @inline(never) private static func stepOut(_ position: inout StackPosition, _ rule: UnwindRule) -> Step {
    if rule.base == .end { return Step(outcome: .end) }
    let base = rule.base == .stackPointer ? position.stackPointer : position.framePointer
    var frame = base &+ UInt(bitPattern: Int(rule.offset))
    guard rule.base != .complex, isFrame(frame, below: position) else { return Step(outcome: .complex) }
    if rule.base == .word { frame = lab_record_load(frame) }
    guard isFrame(frame, below: position) else { return Step(outcome: .complex) }
    let offset = UInt(bitPattern: Int(rule.savedOffset))
    switch rule.saved {
    case .register: break
    case .belowFrame: position.framePointer = lab_record_load(frame &+ offset)
    case .atFramePointer: position.framePointer = lab_record_load(position.framePointer &+ offset)
    }
    position.stackPointer = frame
    position.address = lab_record_load(frame &- 8)
    return Step(outcome: position.address == 0 ? .complex : .caller, isPlain: false)
  }

  /// Reads the rule of a return address into the thread's table.
  @inline(never) private static func learn(_ address: UInt, _ entry: UInt) {
    let rule = UnwindRule.find(
      address, header: lab_record_frame_header(address &- 1), in: FrameInformation(start: 1, end: .max))
    lab_record_set(entry &+ 8, rule.word)
    lab_record_set(entry, UInt64(address))
  }
}
