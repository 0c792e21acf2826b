/// The instructions of call frame information: see UnwindRule.
struct FrameProgram {
  let codeAlignment: UInt
  let dataAlignment: Int

  /// What they have said so far about the three registers.
  struct State {
    private enum Register {
      static var framePointer: UInt { 6 }
      static var stackPointer: UInt { 7 }
      static var returnAddress: UInt { 16 }
    }

    private var register: UInt = 0
    private var offset = 0
    /// Whether the CFA is the word at the register and the offset.
    private var isWord = false
    private var saved = UnwindRule.Saved.register
    private var savedOffset = 0
    private var hasCaller = true
    /// Whether something was said that no rule can hold.
    private var isComplex = false

    var rule: UnwindRule {
      var rule = UnwindRule()
      guard hasCaller else {
        rule.base = .end
        return rule
      }
      guard !isComplex, let offset = Int32(exactly: offset), let savedOffset = Int16(exactly: savedOffset) else {
        return rule
      }
      switch (register, isWord) {
      case (Register.stackPointer, false): rule.base = .stackPointer
      case (Register.framePointer, false): rule.base = .framePointer
      case (Register.framePointer, true): rule.base = .word
      default: return rule
      }
      (rule.offset, rule.saved, rule.savedOffset) = (offset, saved, savedOffset)
      return rule
    }

    fileprivate mutating func define(register: UInt? = nil, offset: Int? = nil) {
      self.register = register ?? self.register
      self.offset = offset ?? self.offset
      isWord = false
    }

    /// The CFA by an expression: only the word at the frame pointer and an offset is known here.
    fileprivate mutating func define(expression: FrameBytes, _ byteCount: UInt) {
      var bytes = expression
      let isKnown = bytes.byte() == 0x76
      let offset = bytes.signed()
      isComplex = isComplex || !isKnown || bytes.byte() != 0x06 || bytes.place != expression.place &+ byteCount
      (register, self.offset, isWord) = (Register.framePointer, offset, true)
    }

    fileprivate mutating func save(_ register: UInt, at offset: Int) {
      if register == Register.framePointer { (saved, savedOffset) = (.belowFrame, offset) }
      if register == Register.returnAddress, offset != -8 { isComplex = true }
    }

    /// A register that is saved where an expression says: the frame pointer at itself and an offset.
    fileprivate mutating func save(_ register: UInt, at expression: FrameBytes, _ byteCount: UInt) {
      guard register == Register.framePointer else { return lose(register) }
      var bytes = expression
      let isKnown = bytes.byte() == 0x76
      (saved, savedOffset) = (.atFramePointer, bytes.signed())
      if !isKnown || bytes.place != expression.place &+ byteCount { isComplex = true }
    }

    fileprivate mutating func keep(_ register: UInt) {
      if register == Register.framePointer { saved = .register }
    }

    /// A register that is nowhere, or somewhere unknown.
    fileprivate mutating func lose(_ register: UInt, isUndefined: Bool = false) {
      if register == Register.returnAddress {
        if isUndefined { hasCaller = false } else { isComplex = true }
      } else if register == Register.framePointer, !isUndefined {
        isComplex = true
      }
    }

    fileprivate mutating func restore(_ register: UInt, _ initial: State) {
      if register == Register.framePointer { (saved, savedOffset) = (initial.saved, initial.savedOffset) }
    }
  }

  private static var rememberedCountMax: Int { 4 }

  /// Follows the instructions up to a function's offset; false for one that is unknown.
  func run(
    _ state: inout State, _ initial: State, _ start: FrameBytes, to end: UInt, until offset: UInt
  ) -> Bool {
    var bytes = start
    var location: UInt = 0
    var remembered = InlineArray<4, State>(repeating: State())
    var rememberedCount = 0
    let end = min(end, start.memory.end)
    while bytes.place < end, location <= offset {
      let code = bytes.byte()
      let low = UInt(code & 0x3F)
      switch code {
      case 0x40...0x7F: location &+= low &* codeAlignment
      case 0x80...0xBF: state.save(low, at: Int(bitPattern: bytes.unsigned()) &* dataAlignment)
      case 0xC0...0xFF: state.restore(low, initial)
      case 0x00: break
      case 0x02: location &+= UInt(bytes.byte()) &* codeAlignment
      case 0x03, 0x04:
        let byteCount: UInt = code == 0x03 ? 2 : 4
        location &+= UInt(bytes.memory.word(bytes.place) & (code == 0x03 ? 0xFFFF : .max)) &* codeAlignment
        bytes.skip(byteCount)
      case 0x05:
        let register = bytes.unsigned()
        state.save(register, at: Int(bitPattern: bytes.unsigned()) &* dataAlignment)
      case 0x06: state.restore(bytes.unsigned(), initial)
      case 0x07: state.lose(bytes.unsigned(), isUndefined: true)
      case 0x08: state.keep(bytes.unsigned())
      case 0x09:
        state.lose(bytes.unsigned())
        _ = bytes.unsigned()
      case 0x0A:
        guard rememberedCount < Self.rememberedCountMax else { return false }
        remembered[rememberedCount] = state
        rememberedCount += 1
      case 0x0B:
        guard rememberedCount > 0 else { return false }
        rememberedCount -= 1
        state = remembered[rememberedCount]
      case 0x0C:
        let register = bytes.unsigned()
        state.define(register: register, offset: Int(bitPattern: bytes.unsigned()))
      case 0x0D: state.define(register: bytes.unsigned())
      case 0x0E: state.define(offset: Int(bitPattern: bytes.unsigned()))
      case 0x0F:
        let byteCount = bytes.unsigned()
        state.define(expression: bytes, byteCount)
        bytes.skip(byteCount)
      case 0x10, 0x16:
        let register = bytes.unsigned()
        let byteCount = bytes.unsigned()
        if code == 0x10 { state.save(register, at: bytes, byteCount) } else { state.lose(register) }
        bytes.skip(byteCount)
      case 0x11:
        let register = bytes.unsigned()
        state.save(register, at: bytes.signed() &* dataAlignment)
      case 0x2E: _ = bytes.unsigned()  // The bytes of arguments on the stack: no matter for frames.
      default: return false
      }
    }
    return true
  }
}
