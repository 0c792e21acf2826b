// How to get from a frame to its caller's, as the compiler wrote it down: call frame information in .eh_frame (System V
// ABI for x86-64, section 3.7; DWARF 5, section 6.4; Linux Standard Base, chapter 10.6). Of all it can say, this reads what
// compilers write for ordinary code. Everything else is `complex`, and libunwind unwinds such a stack.
//
// Only the registers matter by which the next frame is found: the stack pointer, which is the canonical frame address
// (CFA) in the caller; the frame pointer; and the return address, always in the word below the CFA.

/// How to find a frame's caller from a return address into the frame.
package struct UnwindRule {
  /// What the CFA is.
  package enum Base: UInt8 {
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
  package enum Saved: UInt8 {
    /// Still in the register.
    case register = 0
    /// In the word at the CFA and an offset.
    case belowFrame = 1
    /// In the word at the frame pointer and an offset.
    case atFramePointer = 2
  }

  package var base = Base.complex
  package var offset: Int32 = 0
  package var saved = Saved.register
  package var savedOffset: Int16 = 0

  /// The bits of a rule's word. One that is not `isPlain` has all that is rare.
  package enum Bits {
    package static var isPlain: UInt64 { 1 }
    package static var hasFramePointerBase: UInt64 { 2 }
    package static var savedOffsetShift: UInt64 { 16 }
    package static var offsetShift: UInt64 { 32 }
  }

  /// The rule in a word.
  package var word: UInt64 {
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

  package init() {}

  /// The rule of a word that is not plain.
  package init(word: UInt64) {
    base = Base(rawValue: UInt8(truncatingIfNeeded: word >> 2) & 7) ?? .complex
    saved = Saved(rawValue: UInt8(truncatingIfNeeded: word >> 8)) ?? .register
    savedOffset = Int16(truncatingIfNeeded: word >> Bits.savedOffsetShift)
    offset = Int32(truncatingIfNeeded: word >> Bits.offsetShift)
  }
}

extension UnwindRule {
  /// The rule for a return address in a module whose .eh_frame_hdr lies at `header`, 0 for none; `complex` where none is
  /// found. The module may be an image of another process's: only its parts' distances matter.
  package static func find(_ returnAddress: UInt, header: UInt, in memory: FrameInformation) -> UnwindRule {
    // The call may be the last instruction of its function.
    let address = returnAddress &- 1
    guard header != 0, let entry = entry(of: address, header, memory) else { return UnwindRule() }
    return rule(for: address, entry, memory) ?? UnwindRule()
  }

  /// The entry for an address by the sorted table in .eh_frame_hdr: pairs of a function's start and its entry, both
  /// relative to the header.
  private static func entry(of address: UInt, _ header: UInt, _ memory: FrameInformation) -> UInt? {
    // Version 1; the table's count has four bytes, its numbers are signed and relative to the header.
    guard memory.word(header) == 0x3B03_1B01 else { return nil }
    var (low, high) = (UInt(0), UInt(memory.word(header &+ 8)))
    let table = header &+ 12
    func number(_ place: UInt) -> UInt { header &+ UInt(bitPattern: Int(Int32(bitPattern: memory.word(place)))) }
    while low < high {
      let middle = (low &+ high) / 2
      if number(table &+ middle &* 8) <= address { low = middle &+ 1 } else { high = middle }
    }
    return low == 0 ? nil : number(table &+ (low &- 1) &* 8 &+ 4)
  }

  private static func rule(
    for address: UInt, _ entry: UInt, _ memory: FrameInformation
  ) -> UnwindRule? {
    let length = UInt(memory.word(entry))
    let shared = entry &+ 4 &- UInt(memory.word(entry &+ 4))
    guard length != 0, length < 0xFFFF_FFF0 else { return nil }
    var cie = FrameBytes(shared &+ 8, memory)
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
    var letter = FrameBytes(letters, memory)
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
    var fde = FrameBytes(entry &+ 8, memory)
    let start = fde.place &+ UInt(bitPattern: Int(Int32(bitPattern: memory.word(fde.place))))
    let byteCount = UInt(memory.word(fde.place &+ 4))
    guard address &- start < byteCount else { return nil }
    fde.skip(8)
    fde.skip(fde.unsigned())
    let program = FrameProgram(codeAlignment: codeAlignment, dataAlignment: dataAlignment)
    var state = FrameProgram.State()
    let cieEnd = shared &+ 4 &+ UInt(memory.word(shared))
    guard program.run(&state, state, FrameBytes(instructions, memory), to: cieEnd, until: .max) else { return nil }
    let initial = state
    guard program.run(&state, initial, fde, to: entry &+ 4 &+ length, until: address &- start) else { return nil }
    // A plain rule's offset 0 means that the frame pointer is in its register.
    return state.rule.saved == .belowFrame && state.rule.savedOffset == 0 ? nil : state.rule
  }
}

/// The memory with call frame information. What lies outside reads as zeros, which end every walk: a module's file need not
/// be sound.
package struct FrameInformation {
  let start: UInt
  let end: UInt

  package init(start: UInt, end: UInt) {
    self.start = start
    self.end = end
  }

  func byte(_ place: UInt) -> UInt8 {
    guard place >= start, place < end else { return 0 }
    // SAFETY: the place lies in the memory.
    return unsafe UnsafePointer<UInt8>(bitPattern: place).unsafelyUnwrapped.pointee
  }

  /// The four bytes at a place, aligned or not.
  func word(_ place: UInt) -> UInt32 {
    guard place >= start, place < end, end - place >= 4 else { return 0 }
    // SAFETY: as above.
    return unsafe UnsafeRawPointer(bitPattern: place).unsafelyUnwrapped.loadUnaligned(as: UInt32.self)
  }
}

/// A place in call frame information from which numbers are read.
struct FrameBytes {
  private(set) var place: UInt
  let memory: FrameInformation

  init(_ place: UInt, _ memory: FrameInformation) {
    self.place = place
    self.memory = memory
  }

  mutating func skip(_ byteCount: UInt) { place &+= byteCount }

  mutating func byte() -> UInt8 {
    defer { place &+= 1 }
    return memory.byte(place)
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
