internal import CLabRecord

// Walks a call stack by the rules of its functions, each of which is read once and kept by the thread. It takes a third
// of libunwind's time, and needs no memory but the thread's own. A frame without a simple rule ends the walk: then
// libunwind unwinds the stack from the start. A library that replaces another one at the same address could leave a
// stale rule: libunwind's own cache has the same weakness.

/// A walk over the calling thread's stack.
enum StackWalk {
  /// The rules that a thread keeps: an address and a rule each.
  private static var ruleCount: UInt { 2048 }
  /// The bytes of a thread's rules.
  static var rulesByteCount: UInt { ruleCount * 16 }
  /// A frame is at most that large.
  private static var frameByteCountMax: UInt { 1 << 20 }

  /// Stores at most `count` return addresses at `frames`, the innermost first, without those of this library.
  ///
  /// - Returns: Their number, 0 where the walk met a frame without a simple rule, and their hash.
  @inline(__always) static func walk(_ frames: UInt, _ count: UInt, rules: UInt) -> (count: UInt, hash: UInt64) {
    #if arch(x86_64)
      // The functions of this library keep frame pointers.
      var frame = lab_record_frame_pointer()
      while lab_record_is_own_code(lab_record_load(frame &+ 8)) != 0 { frame = lab_record_load(frame) }
      let start = Position(
        address: lab_record_load(frame &+ 8), stackPointer: frame &+ 16, framePointer: lab_record_load(frame))
      return walk(from: start, frames, count, rules: rules)
    #else
      return (0, 0)
    #endif
  }

  /// The hash of a stack with one frame more.
  @inline(__always) static func hash(_ hash: UInt64, _ address: UInt) -> UInt64 {
    let product = (hash ^ UInt64(address)) &* 0x9E37_79B9_7F4A_7C15
    return product ^ product >> 32
  }

  /// The registers in a frame.
  private struct Position {
    var address: UInt
    var stackPointer: UInt
    var framePointer: UInt
  }

  @inline(__always) private static func walk(
    from start: Position, _ frames: UInt, _ count: UInt, rules: UInt
  ) -> (count: UInt, hash: UInt64) {
    var position = start
    var hash: UInt64 = 0
    var place = frames
    let end = frames &+ count &* 8
    while true {
      lab_record_set(place, UInt64(position.address))
      hash = self.hash(hash, position.address)
      place &+= 8
      if place == end { break }
      let entry = rules &+ (position.address ^ position.address >> 11) % ruleCount &* 16
      if lab_record_load(entry) != position.address { learn(position.address, entry) }
      let word = UInt64(lab_record_load(entry &+ 8))
      guard word & UnwindRule.Bits.isPlain != 0 else {
        let rule = UnwindRule(word: word)
        if rule.base == .end { break }
        guard step(&position, rule) else { return (0, 0) }
        continue
      }
      let base =
        word & UnwindRule.Bits.hasFramePointerBase != 0 ? position.framePointer : position.stackPointer
      let frame = base &+ UInt(bitPattern: Int(Int64(bitPattern: word) >> 32))
      // A frame pointer that a function used for something else is no address.
      guard isFrame(frame, below: position) else { return (0, 0) }
      let offset = Int16(truncatingIfNeeded: word >> UnwindRule.Bits.savedOffsetShift)
      if offset != 0 { position.framePointer = lab_record_load(frame &+ UInt(bitPattern: Int(offset))) }
      position.stackPointer = frame
      position.address = lab_record_load(frame &- 8)
      if position.address == 0 { break }
    }
    return ((place &- frames) / 8, hash)
  }

  @inline(__always) private static func isFrame(_ frame: UInt, below position: Position) -> Bool {
    frame &- position.stackPointer &- 1 < frameByteCountMax && frame % 8 == 0
  }

  /// Goes to the caller by a rule that is not plain; false where that is not possible.
  @inline(never) private static func step(_ position: inout Position, _ rule: UnwindRule) -> Bool {
    let base = rule.base == .stackPointer ? position.stackPointer : position.framePointer
    var frame = base &+ UInt(bitPattern: Int(rule.offset))
    guard rule.base != .complex, isFrame(frame, below: position) else { return false }
    if rule.base == .word { frame = lab_record_load(frame) }
    guard isFrame(frame, below: position) else { return false }
    let offset = UInt(bitPattern: Int(rule.savedOffset))
    switch rule.saved {
    case .register: break
    case .belowFrame: position.framePointer = lab_record_load(frame &+ offset)
    case .atFramePointer: position.framePointer = lab_record_load(position.framePointer &+ offset)
    }
    position.stackPointer = frame
    position.address = lab_record_load(frame &- 8)
    return position.address != 0
  }

  /// Reads the rule of a return address into the thread's table.
  @inline(never) private static func learn(_ address: UInt, _ entry: UInt) {
    lab_record_set(entry &+ 8, UnwindRule.find(address).word)
    lab_record_set(entry, UInt64(address))
  }
}
