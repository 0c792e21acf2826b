import AllocationTraces
import Glibc

extension TraceFile {
  /// Writes the calls as a trace of version 1, which `heapbench-driver` reads without a library for zstd.
  ///
  /// - Throws: ``TraceFileError``, or ``TraceWriteError``.
  func writeVersion1(to path: String) throws {
    // SAFETY: open reads a C string.
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw TraceWriteError("cannot write '\(path)': \(systemText(errno))") }
    defer { close(descriptor) }
    var bytes = [UInt8](capacity: 64) { _ = TraceHeader.encode(text: Array("{}".utf8).span, into: &$0) }
    var encoder = TraceEncoder()
    var failure: TraceWriteError?
    try forEachEvent { (event, _) throws(TraceFileError.Finding) in
      switch event {
      case .deallocateEarlier, .mark: return true
      default: bytes.append(addingCapacity: TraceEvent.byteCountMax) { _ = encoder.encode(event, into: &$0) }
      }
      guard bytes.count >= 1 << 18 else { return true }
      do throws(TraceWriteError) {
        try writeAll(bytes, to: descriptor, path: path)
        bytes.removeAll(keepingCapacity: true)
        return true
      } catch {
        failure = error
        return false
      }
    }
    if let failure { throw failure }
    try writeAll(bytes, to: descriptor, path: path)
  }
}
