import CallFrames

/// Unwinds copies of stacks, by the call frame information of the files and, where it has no simple rule, by frame
/// pointers.
struct StackUnwinder {
  /// The registers by which frames are found.
  struct Registers {
    var programCounter, stackPointer, framePointer: UInt64
  }

  /// More frames than a copied stack has.
  private static let frameMaximum = 128

  let modules: ProcessModules

  /// The return addresses of a stack, the innermost first, without those in libheaplab.so.
  func unwind(_ registers: Registers, _ stack: ArraySlice<UInt8>) -> [UInt64] {
    var registers = registers
    let start = registers.stackPointer
    func word(at address: UInt64) -> UInt64? {
      guard address >= start, address - start <= UInt64(max(0, stack.count - 8)), stack.count >= 8 else { return nil }
      let first = stack.startIndex + Int(address - start)
      return stack[first..<first + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    var addresses: [UInt64] = []
    while addresses.count < Self.frameMaximum, registers.programCounter != 0 {
      guard let place = modules.place(of: registers.programCounter &- 1) else { break }
      if !addresses.isEmpty || !place.path.hasSuffix("/libheaplab.so") { addresses.append(registers.programCounter) }
      // The caller's frame lies above.
      guard let next = step(registers, place, word), next.stackPointer > registers.stackPointer else { break }
      registers = next
    }
    return addresses
  }

  private func step(
    _ registers: Registers, _ place: (path: String, address: UInt64, image: ModuleImage?), _ word: (UInt64) -> UInt64?
  ) -> Registers? {
    // The place is that of the byte before the return address.
    let rule = place.image?.rule(for: place.address &+ 1) ?? UnwindRule()
    var frame: UInt64
    switch rule.base {
    case .end: return nil
    case .complex:
      // A function that keeps a frame pointer: its caller's lies at it, and the return address above.
      guard let saved = word(registers.framePointer), let caller = word(registers.framePointer &+ 8) else {
        return nil
      }
      return Registers(
        programCounter: caller, stackPointer: registers.framePointer &+ 16, framePointer: saved)
    case .stackPointer: frame = registers.stackPointer
    case .framePointer, .word: frame = registers.framePointer
    }
    frame = frame &+ UInt64(bitPattern: Int64(rule.offset))
    if rule.base == .word {
      guard let value = word(frame) else { return nil }
      frame = value
    }
    guard let caller = word(frame &- 8) else { return nil }
    let offset = UInt64(bitPattern: Int64(rule.savedOffset))
    var next = Registers(programCounter: caller, stackPointer: frame, framePointer: registers.framePointer)
    switch rule.saved {
    case .register: break
    case .belowFrame: next.framePointer = word(frame &+ offset) ?? 0
    case .atFramePointer: next.framePointer = word(registers.framePointer &+ offset) ?? 0
    }
    return next
  }
}
