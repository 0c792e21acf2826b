import Machine

// Lines on the serial port. They are made of literals and numbers, since the first ones appear before there is a heap.

func show(_ text: StaticString) {
  for index in 0..<text.utf8CodeUnitCount { serial_write(text.utf8Start[index]) }
}

func show(_ number: UInt64) {
  if number >= 10 { show(number / 10) }
  serial_write(UInt8(48 + number % 10))
}

func show(hex number: UInt64) {
  show("0x")
  var shift = max(0, (63 - number.leadingZeroBitCount) / 4 * 4)
  while shift >= 0 {
    let digit = UInt8(truncatingIfNeeded: number >> UInt64(shift)) & 15
    serial_write(digit < 10 ? 48 + digit : 87 + digit)
    shift -= 4
  }
}

/// Shows a byte count in the largest unit that divides it.
func show(byteCount: UInt64) {
  let units: [3 of (shift: UInt64, name: StaticString)] = [(30, " GiB"), (20, " MiB"), (10, " KiB")]
  for index in units.indices where byteCount != 0 && byteCount & (1 << units[index].shift - 1) == 0 {
    show(byteCount >> units[index].shift)
    show(units[index].name)
    return
  }
  show(byteCount)
  show(" bytes")
}

/// Shows a number at the right end of a column.
func show(_ number: UInt64, width: Int) {
  var limit: UInt64 = 10
  for _ in 1..<width {
    if number < limit { show(" ") }
    limit *= 10
  }
  show(number)
}

func line(_ text: StaticString) {
  show(text)
  show("\n")
}

func line(_ text: StaticString, _ number: UInt64, _ unit: StaticString = "") {
  show(text)
  show(number)
  line(unit)
}

/// Ends the machine because the kernel cannot go on.
func stop(_ reason: StaticString, _ value: UInt64? = nil) -> Never {
  show("stopped: ")
  show(reason)
  if let value {
    show(", found ")
    show(hex: value)
  }
  show("\n")
  machine_exit(Status.stopped)
}

/// The result of what must not fail.
func must<Result: ~Copyable, Failure: Error>(
  _ what: StaticString, _ body: () throws(Failure) -> Result
) -> Result {
  do { return try body() } catch { stop(what) }
}

/// What QEMU's exit status tells. QEMU itself ends with 0 when it is terminated, and with 1 when it cannot start.
enum Status {
  static let passed: UInt32 = 32
  static let failed: UInt32 = 33
  static let stopped: UInt32 = 34
}
