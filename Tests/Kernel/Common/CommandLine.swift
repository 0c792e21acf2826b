/// What is asked of the kernel, as words of its command line.
struct BootOptions {
  /// How many processors there are: `processors=4`.
  var processorCount = 1
  /// A mistake for the kernel to make, which a test must find: `offence=lost-frame`.
  var offence = Offence.none
  /// Whether to measure instead of testing: `heaplab.measure`.
  var measures = false

  init() {}

  /// The options in a text: a command line, or a device tree that contains it.
  ///
  /// The words are looked for anywhere: no other property of a device tree contains them.
  init(in text: RawSpan) {
    for count in 2...8 where text.contains("processors=", digit: count) { processorCount = count }
    for number in 1...Offence.lostGuard.rawValue {
      if let offence = Offence(rawValue: number), text.contains(offence.word) { self.offence = offence }
    }
    measures = text.contains("heaplab.measure")
  }
}

/// The mistakes that the kernel makes on request.
enum Offence: UInt8 {
  case none
  /// The invalidation of one page does nothing.
  case lostPageInvalidation
  /// The invalidation of everything does nothing.
  case lostInvalidationOfAll
  /// Invalidations reach this processor only.
  case lostShootdown
  /// The kernel's code can be written to, and its data be executed.
  case writableCode
  /// A process that ends keeps a frame.
  case lostFrame
  /// Kernel stacks have no guard pages.
  case lostGuard

  var word: StaticString {
    switch self {
    case .none: "offence=none"
    case .lostPageInvalidation: "offence=lost-page-invalidation"
    case .lostInvalidationOfAll: "offence=lost-invalidation-of-all"
    case .lostShootdown: "offence=lost-shootdown"
    case .writableCode: "offence=writable-code"
    case .lostFrame: "offence=lost-frame"
    case .lostGuard: "offence=lost-guard"
    }
  }
}

extension RawSpan {
  /// Whether a word occurs in the text, followed by a digit if one is given.
  func contains(_ word: StaticString, digit: Int? = nil) -> Bool {
    let byteCount = word.utf8CodeUnitCount
    var start = 0
    while start + byteCount < self.byteCount {
      var length = 0
      while length < byteCount, byte(start + length) == word.utf8Start[length] { length += 1 }
      if length == byteCount, digit == nil || Int(byte(start + length)) == 48 + (digit ?? 0) { return true }
      start += 1
    }
    return false
  }

  private func byte(_ offset: Int) -> UInt8 { unsafeLoad(fromByteOffset: offset, as: UInt8.self) }
}
