import Addresses

// The only file of this module that touches memory.
//
// All other files read and write words of blocks through these functions. The heap alone vouches for their safety: it
// computes every address passed here from a range that its owner gave it and from sizes and links that the callers
// check (see BlockHeader and HoleTree).

enum HeapMemory {
  /// The word at `address`, a multiple of the word size.
  @inline(__always) static func word(at address: UInt) -> UInt {
    // SAFETY: the address lies inside one of the heap's ranges.
    unsafe VirtAddr(address).unsafePointer.load(as: UInt.self)
  }

  @inline(__always) static func setWord(_ word: UInt, at address: UInt) {
    // SAFETY: the address lies inside one of the heap's ranges, in a part that no block's holder may use.
    unsafe VirtAddr(address).unsafePointer.storeBytes(of: word, as: UInt.self)
  }

  /// The 32 bits at `address`, a multiple of 4.
  @inline(__always) static func field(at address: UInt) -> UInt32 {
    // SAFETY: the address lies inside one of the heap's ranges.
    unsafe VirtAddr(address).unsafePointer.load(as: UInt32.self)
  }

  @inline(__always) static func setField(_ field: UInt32, at address: UInt) {
    // SAFETY: the address lies inside one of the heap's ranges, in a hole.
    unsafe VirtAddr(address).unsafePointer.storeBytes(of: field, as: UInt32.self)
  }

  @inline(__always) static func byte(at address: UInt) -> UInt8 {
    // SAFETY: the address lies inside a range's table.
    unsafe VirtAddr(address).unsafePointer.load(as: UInt8.self)
  }

  @inline(__always) static func setByte(_ byte: UInt8, at address: UInt) {
    // SAFETY: the address lies inside a range's table.
    unsafe VirtAddr(address).unsafePointer.storeBytes(of: byte, as: UInt8.self)
  }

  /// The eight bytes at `address`, the first of them lowest.
  @inline(__always) static func eightBytes(at address: UInt) -> UInt64 {
    // SAFETY: the bytes lie inside a range's table.
    unsafe UInt64(littleEndian: VirtAddr(address).unsafePointer.loadUnaligned(as: UInt64.self))
  }

  @inline(__always) static func setEightBytes(_ bytes: UInt64, at address: UInt) {
    // SAFETY: the bytes lie inside a range's table.
    unsafe VirtAddr(address).unsafePointer.storeBytes(of: bytes.littleEndian, as: UInt64.self)
  }

  /// The 16 bytes at `address`, a multiple of the word size.
  @inline(__always) static func vector(at address: UInt) -> SIMD16<UInt8> {
    // SAFETY: the bytes lie inside a range's table.
    unsafe VirtAddr(address).unsafePointer.loadUnaligned(as: SIMD16<UInt8>.self)
  }

  /// The largest of the `count` bytes at `address`.
  ///
  /// The compiler makes vectors of this loop, because it loads from one pointer.
  @inline(__always) static func largestByte(count: UInt, at address: UInt) -> UInt8 {
    // SAFETY: the bytes lie inside a range's table.
    let bytes = unsafe VirtAddr(address).unsafePointer
    var largest: UInt8 = 0
    for offset in 0..<Int(bitPattern: count) {
      unsafe largest = max(largest, bytes.load(fromByteOffset: offset, as: UInt8.self))
    }
    return largest
  }

  @inline(__always) static func setVector(_ vector: SIMD16<UInt8>, at address: UInt) {
    // SAFETY: the bytes lie inside a range's table.
    unsafe VirtAddr(address).unsafePointer.storeBytes(of: vector, as: SIMD16<UInt8>.self)
  }

  /// Copies the content of one block to another.
  static func copy(byteCount: UInt, from source: UInt, to destination: UInt) {
    // SAFETY: both blocks are in use and hold at least `byteCount` bytes of content; blocks do not overlap.
    unsafe VirtAddr(destination).unsafePointer.copyMemory(
      from: VirtAddr(source).unsafePointer, byteCount: Int(bitPattern: byteCount))
  }
}
