internal import Assertions
internal import CLabMalloc

/// One variable's value, in the environment's own memory.
struct SettingText {
  private let name: StaticString
  private var address: UInt

  /// The value of `name`, nil when it is not set.
  init?(_ name: StaticString) {
    // SAFETY: a literal's bytes end with a zero and live as long as the program.
    let found = unsafe name.utf8Start.withMemoryRebound(to: CChar.self, capacity: 1) { text in
      unsafe UInt(bitPattern: lab_malloc_environment(text))
    }
    guard found != 0 else { return nil }
    self.name = name
    self.address = found
  }

  /// The byte at an index; 0 is past the last.
  private func byte(_ index: UInt) -> UInt8 {
    // SAFETY: callers stop at the zero that ends the value.
    unsafe UnsafePointer<UInt8>(bitPattern: address + index).unsafelyUnwrapped.pointee
  }

  static func == (text: SettingText, literal: StaticString) -> Bool {
    var index: UInt = 0
    while index < UInt(literal.utf8CodeUnitCount) {
      // SAFETY: the index is inside the literal.
      let wanted = unsafe literal.utf8Start[Int(index)]
      if text.byte(index) != wanted { return false }
      index += 1
    }
    return text.byte(index) == 0
  }

  /// The digits at the start, and how many there are; nil for none, and for too many.
  private var digits: (number: UInt, count: UInt)? {
    var number: UInt = 0
    var index: UInt = 0
    while byte(index) >= 0x30, byte(index) <= 0x39 {
      let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(UInt(byte(index) - 0x30))
      if overflow || carry { return nil }
      number = sum
      index += 1
    }
    return index == 0 ? nil : (number, index)
  }

  /// The value as a number.
  var number: UInt? {
    guard let digits, byte(digits.count) == 0 else { return nil }
    return digits.number
  }

  /// Whether the value is a list of numbers with commas in between.
  var hasNumbers: Bool { forEachNumber { _ in } }

  /// Visits the numbers of a list. Returns whether the value is such a list; only then all were visited.
  @discardableResult
  func forEachNumber(_ body: (UInt) -> Void) -> Bool {
    var rest = self
    while let digits = rest.digits {
      body(digits.number)
      let next = rest.byte(digits.count)
      rest.address += digits.count + 1
      if next == 0 { return true }
      guard next == 0x2C else { return false }
    }
    return false
  }

  /// The value as 0 or 1. Any other value gives a warning and `default`.
  func flag(default: Bool) -> Bool {
    if self == "0" || self == "1" { return self == "1" }
    warn(`default` ? "is neither 0 nor 1; it is 1" : "is neither 0 nor 1; it is 0")
    return `default`
  }

  /// The value as a number of bytes: digits and at most one of K, M, G and T.
  var byteCount: UInt? {
    guard let digits else { return nil }
    let unit = byte(digits.count)
    if unit == 0 { return digits.number }
    guard byte(digits.count + 1) == 0 else { return nil }
    let shift: UInt
    switch unit | 0x20 {
    case 0x6B: shift = 10
    case 0x6D: shift = 20
    case 0x67: shift = 30
    case 0x74: shift = 40
    default: return nil
    }
    let (product, overflow) = digits.number.multipliedReportingOverflow(by: 1 << shift)
    return overflow ? nil : product
  }

  /// How many bytes of a value a warning shows.
  private static var shownByteMaximum: UInt { 60 }

  /// Writes a line that says what is wrong with the value.
  func warn(_ complaint: StaticString) {
    var line = line()
    line.append(" ")
    line.append(complaint)
    SettingText.write(line)
  }

  /// The beginning of a line about the variable: its name and its value.
  func line() -> TextLine {
    var line = TextLine()
    line.append("heaplab: ")
    line.append(name)
    line.append("=")
    var index: UInt = 0
    while byte(index) != 0, index < SettingText.shownByteMaximum {
      line.append(byte: byte(index))
      index += 1
    }
    return line
  }

  /// Writes a line to standard error.
  static func write(_ line: consuming TextLine) {
    // SAFETY: C reads no more bytes than it is told.
    unsafe line.end { unsafe lab_malloc_warn($0, UInt($1)) }
  }
}
