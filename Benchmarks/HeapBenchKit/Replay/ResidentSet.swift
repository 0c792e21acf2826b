import Glibc

/// The resident memory of this process.
enum ResidentSet {
  /// The resident bytes of anonymous memory now, which hold the heap.
  static var byteCount: UInt64 { field("RssAnon:", of: "/proc/self/status") }

  /// The most resident bytes since ``resetPeak()``, files included.
  static var peakByteCount: UInt64 { field("VmHWM:", of: "/proc/self/status") }

  /// The resident bytes now, files included.
  static var totalByteCount: UInt64 { field("VmRSS:", of: "/proc/self/status") }

  /// Resets the peak to the resident bytes now; false where the kernel does not allow it.
  static func resetPeak() -> Bool {
    // SAFETY: a literal is a C string of one byte and its end.
    withDescriptor("/proc/self/clear_refs", O_WRONLY) { descriptor in
      let byteCount = unsafe write(descriptor, "5", 1)
      return byteCount == 1
    } ?? false
  }

  /// The bytes in a line `NAME   N kB` of a file in /proc; 0 without such a line. Allocates nothing.
  private static func field(_ name: StaticString, of path: StaticString) -> UInt64 {
    withDescriptor(path, O_RDONLY) { descriptor in
      // SAFETY: the buffer is not used beyond the closure.
      unsafe withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 16) { buffer in
        // SAFETY: the buffer has room for the bytes read and a zero after them; a StaticString ends in a zero.
        let length = unsafe read(descriptor, buffer.baseAddress, buffer.count - 1)
        guard length > 0, let base = buffer.baseAddress else { return 0 }
        unsafe buffer[length] = 0
        let text = unsafe base.assumingMemoryBound(to: CChar.self)
        let wanted = unsafe UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        guard let line = unsafe strstr(text, wanted) else { return 0 }
        return unsafe UInt64(strtoull(line + name.utf8CodeUnitCount, nil, 10)) * 1024
      }
    } ?? 0
  }

  /// Passes the open file to `body`; nil when it cannot be opened.
  private static func withDescriptor<Result>(
    _ path: StaticString, _ flags: Int32, _ body: (Int32) -> Result
  ) -> Result? {
    // SAFETY: a StaticString ends in a zero.
    let name = unsafe UnsafeRawPointer(path.utf8Start).assumingMemoryBound(to: CChar.self)
    let descriptor = unsafe open(name, flags | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return body(descriptor)
  }
}
