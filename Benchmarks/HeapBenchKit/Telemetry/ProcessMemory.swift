import CLabBench
import Foundation

/// The memory of a process, by process_vm_readv(2): the process goes on meanwhile and does not notice.
struct ProcessMemory {
  let process: Int32

  /// A range of the memory.
  struct Range {
    let address: UInt64
    var byteCount: UInt64
  }

  /// The bytes at an address.
  func image(at address: UInt64, byteCount: Int) throws(TelemetryError) -> MemoryImage {
    try image(of: [Range(address: address, byteCount: UInt64(byteCount))])
  }

  /// The bytes of several ranges, one behind the other.
  func image(of ranges: [Range]) throws(TelemetryError) -> MemoryImage {
    let byteCount = ranges.reduce(0) { $0 + Int($1.byteCount) }
    let parts = ranges.map { lab_process_range(address: $0.address, byte_count: $0.byteCount) }
    var code: Int32 = 0
    // SAFETY: C writes as many bytes as the ranges have; the count of initialised bytes is theirs, or 0.
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
      code =
        byteCount == 0 ? 0 : unsafe lab_process_read(process, parts, parts.count, buffer.baseAddress)
      count = code == 0 ? byteCount : 0
    }
    switch code {
    case 0: return MemoryImage(bytes: bytes)
    case EPERM: throw .notAllowed(process)
    default: throw .changed(process)
    }
  }

  /// Writes a 64-bit word.
  func write(_ word: UInt64, at address: UInt64) throws(TelemetryError) {
    switch lab_process_write(process, address, word) {
    case 0: return
    case EPERM: throw .notAllowed(process)
    default: throw .changed(process)
    }
  }

  /// The 64-bit words at some addresses.
  func words(at addresses: [UInt64]) throws(TelemetryError) -> [UInt64] {
    let image = try image(of: addresses.map { Range(address: $0, byteCount: 8) })
    return addresses.indices.map { image.load($0 * 8) }
  }
}

/// Bytes copied from a process.
struct MemoryImage {
  let bytes: [UInt8]

  /// The integer at an offset, aligned or not. Traps outside of the image.
  @inline(__always)
  func load<Word: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: Word.Type = Word.self) -> Word {
    precondition(offset >= 0 && offset + MemoryLayout<Word>.size <= bytes.count, "an offset must lie in its image")
    // SAFETY: the bytes lie in the image; every pattern is an integer.
    return unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: offset, as: Word.self) }
  }
}
