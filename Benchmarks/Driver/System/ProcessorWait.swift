import CLabDriver

/// How long a thread was ready to run and had no processor, as the kernel counts it: the second number of
/// `/proc/thread-self/schedstat`. On a busy machine such waits are longer than any call. A wait for a lock is none.
struct ProcessorWait: ~Copyable {
  private let descriptor: Int32

  /// The waits of the calling thread.
  init() { descriptor = openFile("/proc/thread-self/schedstat") }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// The nanoseconds so far; 0 where the kernel does not count them.
  var nanoseconds: Int {
    guard descriptor >= 0 else { return 0 }
    var buffer = InlineArray<64, UInt8>(repeating: 0)
    var bytes = buffer.mutableSpan
    // SAFETY: the buffer outlives the read.
    let length = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
    var (index, number) = (0, 0)
    while index < length, bytes[index] != 0x20 { index += 1 }
    index += 1
    while index < length, bytes[index] != 0x20 {
      number = number * 10 + Int(bytes[index] - 0x30)
      index += 1
    }
    return number
  }
}
