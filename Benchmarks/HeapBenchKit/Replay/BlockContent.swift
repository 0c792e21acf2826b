import Addresses
import Assertions

// A replay uses its blocks as a program would. It writes to every page of a new block and to its last byte, and reads
// back before it frees the block. Each object writes a byte value of its own. Overlapping blocks, a reallocation that
// loses content, and a zeroed block that is not zero thus end the measurement with one line.

/// The content that an object writes into its block.
struct BlockContent {
  /// The object's byte, never 0.
  private let byte: UInt8

  /// The content of object `object`.
  @inline(__always) init(of object: UInt32) {
    byte = UInt8(truncatingIfNeeded: (object &* 0x9E37_79B9) >> 24) | 1
  }

  /// Writes to the first word, every page and the last byte of a block, from byte `start`.
  @inline(__always) func write(to address: VirtAddr, from start: UInt = 0, byteCount: UInt) {
    guard start < byteCount else { return }
    // SAFETY: the replay holds the block of `byteCount` bytes, and every offset below is smaller.
    let pointer = unsafe address.unsafePointer
    if start == 0 && byteCount >= 8 {
      unsafe pointer.storeBytes(of: word, as: UInt64.self)
    }
    var offset = start
    // SAFETY: as above.
    while offset < byteCount {
      unsafe pointer.storeBytes(of: byte, toByteOffset: Int(offset), as: UInt8.self)
      offset += 4096
    }
    // SAFETY: as above.
    unsafe pointer.storeBytes(of: byte, toByteOffset: Int(byteCount - 1), as: UInt8.self)
  }

  /// Ends the process unless the first word, or the first byte of a shorter block, is as written.
  @inline(__always) func check(_ address: VirtAddr, byteCount: UInt) {
    guard byteCount > 0 else { return }
    // SAFETY: the replay holds the block of `byteCount` bytes.
    let pointer = unsafe address.unsafePointer
    // SAFETY: as above.
    let isWhole =
      if byteCount >= 8 {
        unsafe pointer.load(as: UInt64.self) == word
      } else {
        unsafe pointer.load(as: UInt8.self) == byte
      }
    require(isWhole, "a block lost its content: it was moved without it, or overlaps another", UInt64(address.raw))
  }

  /// Ends the process unless the last byte of a block is as written.
  @inline(__always) func checkEnd(_ address: VirtAddr, byteCount: UInt) {
    guard byteCount > 0 else { return }
    // SAFETY: the replay holds the block of `byteCount` bytes.
    let last = unsafe address.unsafePointer.load(fromByteOffset: Int(byteCount - 1), as: UInt8.self)
    require(
      last == byte, "a block lost its last byte: it was moved without it, or overlaps another", UInt64(address.raw))
  }

  /// Ends the process unless the first byte, the last byte and one byte of every page are 0.
  @inline(__always) static func checkZero(_ address: VirtAddr, byteCount: UInt) {
    guard byteCount > 0 else { return }
    // SAFETY: the replay holds the block of `byteCount` bytes, and every offset below is smaller.
    let pointer = unsafe address.unsafePointer
    var sum = unsafe pointer.load(fromByteOffset: Int(byteCount - 1), as: UInt8.self)
    var offset: UInt = 0
    while offset < byteCount {
      sum |= unsafe pointer.load(fromByteOffset: Int(offset), as: UInt8.self)
      offset += 4096
    }
    require(sum == 0, "a block that was to be zero is not", UInt64(address.raw))
  }

  private var word: UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }
}
