internal import CLabMalloc

// The environment's settings, read at the first allocation, without allocating. A value that cannot be read is one
// warning line, and the default. A set-uid program sees none of them.
//
//     HEAPLAB_POLICY        what serves the requests: general (default), firstfit or buddy (TextbookHeap.swift)
//     HEAPLAB_LIMIT         bytes that the heap may hold, with K, M, G or T; malloc fails past it; default: no limit
//     HEAPLAB_PURGE_DELAY   milliseconds that freed memory stays at hand before the system gets it back; default 100
//     HEAPLAB_RESERVE       0: address space is taken when it is needed, as under RLIMIT_AS (HeapReservation.swift); default 1
//     HEAPLAB_STATS         1: statistics on standard error when the program ends; default 0

/// The settings of the process heap.
struct Settings {
  var policy = ServingPolicy.general
  var limitByteCount: UInt = .max
  var purgeDelayMilliseconds: UInt = 100
  var reservesAddressSpace = true
  var showsStatistics = false

  init() {}

  /// The longest delay, 49 days: sums and multiples of it are no matter.
  private static var purgeDelayMaximum: UInt { UInt(UInt32.max) }

  /// The environment's.
  static func fromEnvironment() -> Settings {
    var settings = Settings()
    if let text = SettingText("HEAPLAB_POLICY") {
      if text == "firstfit" {
        settings.policy = .firstFit
      } else if text == "buddy" {
        settings.policy = .buddy
      } else if !(text == "general") {
        text.warn("is none of general, firstfit and buddy; it is general")
      }
    }
    if let text = SettingText("HEAPLAB_LIMIT") {
      if let number = text.byteCount, number > 0 {
        settings.limitByteCount = number
      } else {
        text.warn("is no byte count such as 512M; there is no limit")
      }
    }
    if let text = SettingText("HEAPLAB_PURGE_DELAY") {
      if let number = text.number {
        settings.purgeDelayMilliseconds = min(number, purgeDelayMaximum)
        if number > purgeDelayMaximum { text.warn("is more milliseconds than 4294967295; it is these") }
      } else {
        text.warn("is no number of milliseconds; it is 100")
      }
    }
    if let text = SettingText("HEAPLAB_RESERVE") { settings.reservesAddressSpace = text.flag(default: true) }
    if let text = SettingText("HEAPLAB_STATS") { settings.showsStatistics = text.flag(default: false) }
    return settings
  }
}

/// One variable's value, in the environment's own memory.
struct SettingText {
  private let name: StaticString
  private let address: UInt

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

  /// The digits at the start, and how many there are; nil when there are none, or too many.
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

  /// The value as 0 or 1; with a warning and `default` when it is neither.
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

  /// Says what is wrong with the value, in one line.
  func warn(_ complaint: StaticString) {
    var line = InlineArray<200, CChar>(repeating: 0)
    var count = 0
    func append(_ byte: UInt8) {
      if count < 199 {
        line[count] = CChar(bitPattern: byte)
        count += 1
      }
    }
    func append(_ literal: StaticString) {
      // SAFETY: the index is inside the literal.
      for index in 0..<literal.utf8CodeUnitCount { append(unsafe literal.utf8Start[index]) }
    }
    append("heaplab: ")
    append(name)
    append("=")
    var index: UInt = 0
    while byte(index) != 0, index < 60 {
      append(byte(index))
      index += 1
    }
    append(" ")
    append(complaint)
    append(0x0A)
    let length = CUnsignedLong(count)
    let span = line.span
    // SAFETY: the buffer outlives the call.
    unsafe span.withUnsafeBufferPointer { buffer in unsafe lab_malloc_warn(buffer.baseAddress, length) }
  }
}
