internal import CLabRecord

// How to get from a frame to its caller's, as the compiler wrote it down: call frame information in .eh_frame (System V
// ABI for x86-64, section 3.7; DWARF 5, section 6.4; Linux Standard Base, chapter 10.6). Of all it can say, this reads what
// compilers write for ordinary code. Everything else is `complex`, and libunwind unwinds such a stack.
//
// Only the registers matter by which the next frame is found: the stack pointer, which is the canonical frame address
// (CFA) in the caller; the frame pointer; and the return address, always in the word below the CFA.

/// How to find a frame's caller from a return address into the frame.
struct UnwindRule {
  /// What the CFA is.
  enum Base: UInt8 {
    /// Not known here.
    case complex = 0
    /// The stack pointer and an offset.
    case stackPointer = 1
    /// The frame pointer and an offset.
    case framePointer = 2
    /// The word at the frame pointer and an offset: a function that aligned its stack.
    case word = 3
    /// There is no caller.
    case end = 4
  }

  /// Where the caller's frame pointer is.
  enum Saved: UInt8 {
    /// Still in the register.
    case register = 0
    /// In the word at the CFA and an offset.
    case belowFrame = 1
    /// In the word at the frame pointer and an offset.
    case atFramePointer = 2
  }

  var base = Base.complex
  var offset: Int32 = 0
  var saved = Saved.register
  var savedOffset: Int16 = 0

  /// The bits of a rule's word. One that is not `isPlain` has all that is rare.
  enum Bits {
    static var isPlain: UInt64 { 1 }
    static var hasFramePointerBase: UInt64 { 2 }
    static var savedOffsetShift: UInt64 { 16 }
    static var offsetShift: UInt64 { 32 }
  }

  /// The rule in a word.
  var word: UInt64 {
    let offsets =
      UInt64(UInt16(bitPattern: savedOffset)) << Bits.savedOffsetShift
      | UInt64(UInt32(bitPattern: offset)) << Bits.offsetShift
    switch (base, saved) {
    case (.stackPointer, .register), (.stackPointer, .belowFrame): return offsets | Bits.isPlain
    case (.framePointer, .register), (.framePointer, .belowFrame):
      return offsets | Bits.isPlain | Bits.hasFramePointerBase
    default: return offsets | UInt64(base.rawValue) << 2 | UInt64(saved.rawValue) << 8
    }
  }

  init() {}

  /// The rule of a word that is not plain.
  init(word: UInt64) {
    base = Base(rawValue: UInt8(truncatingIfNeeded: word >> 2) & 7) ?? .complex
    saved = Saved(rawValue: UInt8(truncatingIfNeeded: word >> 8)) ?? .register
    savedOffset = Int16(truncatingIfNeeded: word >> Bits.savedOffsetShift)
    offset = Int32(truncatingIfNeeded: word >> Bits.offsetShift)
  }
}

extension UnwindRule {
  /// The rule for a return address; `complex` where none is found.
  static func find(_ returnAddress: UInt) -> UnwindRule {
    // The call may be the last instruction of its function.
    let address = returnAddress &- 1
    let header = lab_record_frame_header(address)
    guard header != 0, let entry = entry(of: address, header) else { return UnwindRule() }
    return rule(for: address, entry) ?? UnwindRule()
  }

  /// The entry for an address by the sorted table in .eh_frame_hdr: pairs of a function's start and its entry, both
  /// relative to the header.
  private static func entry(of address: UInt, _ header: UInt) -> UInt? {
    // Version 1; the table's count has four bytes, its numbers are signed and relative to the header.
    guard lab_record_u32(header) == 0x3B03_1B01 else { return nil }
    var (low, high) = (UInt(0), UInt(lab_record_u32(header &+ 8)))
    let table = header &+ 12
    func number(_ place: UInt) -> UInt { header &+ UInt(bitPattern: Int(Int32(bitPattern: lab_record_u32(place)))) }
    while low < high {
      let middle = (low &+ high) / 2
      if number(table &+ middle &* 8) <= address { low = middle &+ 1 } else { high = middle }
    }
    return low == 0 ? nil : number(table &+ (low &- 1) &* 8 &+ 4)
  }

  private static func rule(for address: UInt, _ entry: UInt) -> UnwindRule? {
    let length = UInt(lab_record_u32(entry))
    let shared = entry &+ 4 &- UInt(lab_record_u32(entry &+ 4))
    guard length != 0, length < 0xFFFF_FFF0 else { return nil }
    var cie = FrameBytes(shared &+ 8)
    let version = cie.byte()
    guard version == 1 || version == 3, cie.byte() == 0x7A else { return nil }  // 'z'
    // The letters after 'z' say what the augmentation's data has; signal frames ('S') are complex.
    let letters = cie.place
    while cie.byte() != 0 {}
    let codeAlignment = cie.unsigned()
    let dataAlignment = cie.signed()
    _ = cie.unsigned()
    let dataByteCount = cie.unsigned()
    let instructions = cie.place &+ dataByteCount
    var letter = FrameBytes(letters)
    search: while true {
      switch letter.byte() {
      case 0: break search
      case 0x52: guard cie.byte() == 0x1B else { return nil }  // 'R': relative, four bytes
      case 0x4C: _ = cie.byte()  // 'L'
      case 0x50:  // 'P'
        guard cie.byte() & 0x0F == 0x0B else { return nil }
        cie.skip(4)
      default: return nil
      }
    }
    var fde = FrameBytes(entry &+ 8)
    let start = fde.place &+ UInt(bitPattern: Int(Int32(bitPattern: lab_record_u32(fde.place))))
    let byteCount = UInt(lab_record_u32(fde.place &+ 4))
    guard address &- start < byteCount else { return nil }
    fde.skip(8)
    fde.skip(fde.unsigned())
    let program = FrameProgram(codeAlignment: codeAlignment, dataAlignment: dataAlignment)
    var state = FrameProgram.State()
    let cieEnd = shared &+ 4 &+ UInt(lab_record_u32(shared))
    guard program.run(&state, state, FrameBytes(instructions), to: cieEnd, until: .max) else { return nil }
    let initial = state
    guard program.run(&state, initial, fde, to: entry &+ 4 &+ length, until: address &- start) else { return nil }
    // A plain rule's offset 0 means that the frame pointer is in its register.
    return state.rule.saved == .belowFrame && state.rule.savedOffset == 0 ? nil : state.rule
  }
}

/// A place in call frame information from which numbers are read.
struct FrameBytes {
  private(set) var place: UInt

  init(_ place: UInt) { self.place = place }

  mutating func skip(_ byteCount: UInt) { place &+= byteCount }

  mutating func byte() -> UInt8 {
    defer { place &+= 1 }
    return lab_record_u8(place)
  }

  /// A LEB128 number.
  mutating func unsigned() -> UInt {
    var (number, shift): (UInt, UInt) = (0, 0)
    while true {
      let byte = byte()
      if shift < 64 { number |= UInt(byte & 0x7F) << shift }
      shift &+= 7
      if byte & 0x80 == 0 { return number }
    }
  }

  /// A signed LEB128 number.
  mutating func signed() -> Int {
    var (number, shift): (UInt, UInt) = (0, 0)
    while true {
      let byte = byte()
      if shift < 64 { number |= UInt(byte & 0x7F) << shift }
      shift &+= 7
      guard byte & 0x80 == 0 else { continue }
      if byte & 0x40 != 0, shift < 64 { number |= ~0 << shift }
      return Int(bitPattern: number)
    }
  }
}
