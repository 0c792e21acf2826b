import Glibc

/// A regular file, mapped for reading: its bytes are read when they are used, and never all at once.
@safe final class MappedFile: @unchecked Sendable {
  /// The number of bytes.
  let count: Int

  private let base: UnsafeMutableRawPointer?

  /// Why a file cannot be mapped.
  struct Failure: Error {
    /// The system's words, or what the file is instead of a regular one.
    let reason: String
  }

  /// Maps the file at `path`.
  init(_ path: String) throws(Failure) {
    // SAFETY: the path is a C string during the call.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw Failure(reason: systemText(errno)) }
    defer { close(descriptor) }
    var status = stat()
    // SAFETY: the out-parameter is this function's own.
    guard unsafe fstat(descriptor, &status) == 0 else { throw Failure(reason: systemText(errno)) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw Failure(reason: systemText(EISDIR))
    default: throw Failure(reason: "it is no regular file; copy what it holds to one")
    }
    count = Int(status.st_size)
    guard count > 0 else {
      // SAFETY: an empty file has no mapping, and nothing reads it.
      unsafe base = nil
      return
    }
    // SAFETY: a new mapping, unmapped in `deinit`.
    let start = unsafe mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard unsafe start != MAP_FAILED else { throw Failure(reason: systemText(errno)) }
    unsafe base = start
    // Traces are read from front to back; the kernel may read ahead, and forget what was passed.
    // SAFETY: the mapping is this object's own.
    unsafe madvise(start, count, MADV_SEQUENTIAL)
  }

  deinit {
    // SAFETY: the mapping is this object's own, of this length.
    if let base = unsafe base { unsafe munmap(base, count) }
  }

  /// A reader forgets what it has read in pieces of this many bytes.
  static let forgottenByteCount = 32 << 20

  /// Takes the pages from this process that lie whole in `range`: what is read there again comes from the file again.
  func forget(_ range: Range<Int>) {
    let page = 4096
    let start = (range.lowerBound + page - 1) & ~(page - 1)
    let end = min(range.upperBound, count) & ~(page - 1)
    // SAFETY: the range is inside this object's own mapping, which nobody writes to.
    guard start < end, let base = unsafe base else { return }
    unsafe madvise(base + start, end - start, MADV_DONTNEED)
  }

  /// Passes the bytes to `body`.
  func withBytes<Value, Failure: Error>(
    _ body: (Span<UInt8>) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    // SAFETY: the mapping holds `count` bytes as long as this object lives, and nothing writes to it.
    let buffer = unsafe UnsafeBufferPointer(start: base?.assumingMemoryBound(to: UInt8.self), count: count)
    return try body(unsafe buffer.span)
  }
}

/// The system's words for an `errno`.
func systemText(_ code: Int32) -> String {
  // SAFETY: strerror returns a C string, which is copied before the next call.
  unsafe String(cString: strerror(code))
}
