import CLabBench

/// zstd frames, by the system's library.
enum Zstandard {
  /// The level of traces: the level above takes a fifth more time for a hundredth less.
  static let level: Int32 = 3

  /// Whether the library is there.
  static var isThere: Bool { lab_zstd_is_there() != 0 }

  /// `content` as one frame; nil when that would not be shorter, or there is no library.
  static func compress(_ content: [UInt8]) -> [UInt8]? {
    guard isThere, !content.isEmpty else { return nil }
    let capacity = lab_zstd_bound(content.count)
    // SAFETY: zstd writes at most the capacity, and says how much it wrote.
    let frame = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { target, count in
      // SAFETY: as above; both buffers outlive the call.
      count = unsafe content.withUnsafeBufferPointer {
        unsafe lab_zstd_compress(target.baseAddress, capacity, $0.baseAddress, $0.count, level)
      }
    }
    return frame.isEmpty || frame.count >= content.count ? nil : frame
  }

  /// Decompresses `frame`, whose content has `byteCount` bytes, into `content`; false when it is damaged.
  static func decompress(_ frame: Span<UInt8>, byteCount: Int, into content: inout [UInt8]) -> Bool {
    if content.count != byteCount { content = [UInt8](repeating: 0, count: byteCount) }
    // SAFETY: both buffers have the lengths that are given, and outlive the call.
    let length = unsafe frame.withUnsafeBufferPointer { source in
      unsafe content.withUnsafeMutableBufferPointer { target in
        unsafe lab_zstd_decompress(target.baseAddress, target.count, source.baseAddress, source.count)
      }
    }
    return length == byteCount
  }
}
