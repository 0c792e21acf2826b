import CLabPlatform

// Assertions: broken contracts and corruption.
//
// The core has three ways to say no. Running out of memory is an ordinary result (`nil`). What a caller can
// test for beforehand is a contract, and breaking it ends the process here. Damage to a heap's own structures,
// or an address that it never gave out, ends the process here too. Each death is one line on standard error,
// written without allocating, in debug and release builds, hosted and Embedded alike: a plain `precondition`
// would trap without its message in release builds.

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

/// Shows the line and ends the process.
private func end(_ line: consuming TextLine) -> Never {
  // SAFETY: the platform reads as many bytes as it is told.
  unsafe line.end { unsafe lab_platform_fail($0, CUnsignedLong($1)) }
  fatalError("lab_platform_fail must not return")
}
