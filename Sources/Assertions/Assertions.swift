import CLabPlatform

// Assertions: broken contracts and corruption.
//
// The core has three kinds of failure. Running out of memory is an ordinary result (`nil`). A condition that the caller
// can test beforehand is a contract, and breaking it ends the process here. So does damage to a heap's own structures,
// or an address that the heap never gave out. Each death writes one line to standard error without allocating, in debug
// and release builds, hosted and Embedded alike. A plain `precondition` would trap without its message in release
// builds.

/// Ends the process with `heaplab: MESSAGE` unless `condition` holds.
///
/// - Parameters:
///   - condition: What the caller promised.
///   - message: What was promised, as a sentence a person can act on.
/// - Complexity: O(1); one compare and a branch that is never taken.
@inlinable @inline(__always)
public func require(_ condition: Bool, _ message: StaticString) {
  if !condition { fail(message) }
}

/// Ends the process with `heaplab: MESSAGE: 0xVALUE` unless `condition` holds.
///
/// - Parameters:
///   - condition: What the caller promised.
///   - message: What was promised, as a sentence a person can act on.
///   - value: The offending value or address, shown in hexadecimal.
/// - Complexity: O(1); one compare and a branch that is never taken.
@inlinable @inline(__always)
public func require(_ condition: Bool, _ message: StaticString, _ value: @autoclosure () -> UInt64) {
  if !condition { fail(message, value()) }
}

/// Ends the process with the line `heaplab: MESSAGE` (by `write(2)` and `abort` on Linux).
@inline(never)
public func fail(_ message: StaticString) -> Never {
  var line = TextLine()
  line.append("heaplab: ")
  line.append(message)
  end(line)
}

/// Ends the process with the line `heaplab: MESSAGE: 0xVALUE` (by `write(2)` and `abort` on Linux).
@inline(never)
public func fail(_ message: StaticString, _ value: UInt64) -> Never {
  var line = TextLine()
  line.append("heaplab: ")
  line.append(message)
  line.append(": 0x")
  line.append(hexadecimal: value)
  end(line)
}

/// Writes the line and ends the process.
private func end(_ line: consuming TextLine) -> Never {
  // SAFETY: the platform reads no more bytes than the count says.
  unsafe line.end { unsafe lab_platform_fail($0, CUnsignedLong($1)) }
  fatalError("lab_platform_fail must not return")
}
