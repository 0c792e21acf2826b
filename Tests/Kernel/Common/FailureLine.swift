import Machine

/// The line with which a broken contract ended.
struct FailureLine {
  fileprivate(set) var bytes: [UInt8] = []

  func begins(with text: StaticString) -> Bool {
    guard bytes.count >= text.utf8CodeUnitCount else { return false }
    for index in 0..<text.utf8CodeUnitCount where bytes[index] != text.utf8Start[index] { return false }
    return true
  }
}

nonisolated(unsafe) private var breaking: (() -> Void)?

/// Runs what breaks a contract, on a stack that is then abandoned; returns the line that it ended with, which is empty if
/// it did not end.
func lineOfFailure(_ body: @escaping () -> Void) -> FailureLine {
  var line = FailureLine()
  breaking = body
  expectedFailure = { line.bytes = Array($0) }
  let function: @convention(c) () -> UInt64 = {
    breaking?()
    return 0
  }
  _ = thisProcessor.probe(UInt64(UInt(bitPattern: unsafeBitCast(function, to: Int.self))), 0)
  expectedFailure = nil
  breaking = nil
  return line
}
