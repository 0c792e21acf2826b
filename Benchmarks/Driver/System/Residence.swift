import CLabDriver

/// The resident memory of this process, as the kernel counts it.
enum Residence {
  /// The resident bytes now, files included: `Rss` of `/proc/self/smaps_rollup`. The kernel walks the page tables for
  /// it, so it is exact to the page.
  static var byteCount: Int { field("Rss:", of: "/proc/self/smaps_rollup") }

  /// The most bytes that were ever resident: the kernel's own high-water mark, which misses no peak between two
  /// readings. It is exact to about 100 KiB, since each processor counts a few pages separately.
  static var peakByteCount: Int { field("VmHWM:", of: "/proc/self/status") }

  /// The page faults so far that needed no disk.
  static var minorFaultCount: Int {
    var usage = rusage()
    // SAFETY: the out-parameter is this function's own.
    unsafe getrusage(RUSAGE_SELF.rawValue, &usage)
    return usage.ru_minflt
  }

  /// The bytes in a line `NAME   N kB` of a file. It is read without stdio, which would allocate.
  private static func field(_ name: StaticString, of path: StaticString) -> Int {
    let descriptor = openFile(path)
    guard descriptor >= 0 else { stop("cannot read what is resident in /proc/self") }
    defer { close(descriptor) }
    var buffer = InlineArray<4096, UInt8>(repeating: 0)
    var bytes = buffer.mutableSpan
    // SAFETY: the buffer outlives the read.
    let length = unsafe bytes.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
    var start = 0
    while start < length {
      var index = 0
      // SAFETY: both indices are below the counts that the loop checks first.
      while index < name.utf8CodeUnitCount, start + index < length,
        unsafe bytes[start + index] == name.utf8Start[index]
      { index += 1 }
      if index == name.utf8CodeUnitCount { return number(in: bytes.span, from: start + index) * 1024 }
      while start < length, bytes[start] != 0x0A { start += 1 }
      start += 1
    }
    stop("finds no count of what is resident in /proc/self")
  }

  /// The first number at or after `start`.
  private static func number(in bytes: Span<UInt8>, from start: Int) -> Int {
    var index = start
    while bytes[index] == 0x20 || bytes[index] == 0x09 { index += 1 }
    var number = 0
    while (0x30...0x39).contains(bytes[index]) {
      number = number * 10 + Int(bytes[index] - 0x30)
      index += 1
    }
    return number
  }
}
