// XXH64, the 64-bit hash of Yann Collet's xxHash family, as its specification describes it:
// https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md. zstd checks its frames with the same function.
//
// Each step is a bijection of the state for a given input, and of the input for a given state. A change within one
// word of eight bytes therefore always changes the result; any other change escapes with a probability of 2^-64.

/// The checksum of a block: XXH64.
public enum TraceChecksum {
  private static var prime1: UInt64 { 0x9E37_79B1_85EB_CA87 }
  private static var prime2: UInt64 { 0xC2B2_AE3D_27D4_EB4F }
  private static var prime3: UInt64 { 0x1656_67B1_9E37_79F9 }
  private static var prime4: UInt64 { 0x85EB_CA77_C2B2_AE63 }
  private static var prime5: UInt64 { 0x27D4_EB2F_1656_67C5 }

  /// The XXH64 of `content` with the seed 0.
  ///
  /// - Complexity: O(*n*) for *n* bytes, at four bytes or more a cycle.
  public static func of(_ content: Span<UInt8>) -> UInt64 {
    // SAFETY: bytes have no invariants, and the raw span lives as long as the span.
    let bytes = unsafe content.bytes
    let count = bytes.byteCount
    var offset = 0
    var hash: UInt64
    if count >= 32 {
      var lanes = (prime1 &+ prime2, prime2, UInt64(0), 0 &- prime1)
      while offset + 32 <= count {
        lanes.0 = round(lanes.0, word64(bytes, offset))
        lanes.1 = round(lanes.1, word64(bytes, offset + 8))
        lanes.2 = round(lanes.2, word64(bytes, offset + 16))
        lanes.3 = round(lanes.3, word64(bytes, offset + 24))
        offset += 32
      }
      hash = rotate(lanes.0, 1) &+ rotate(lanes.1, 7) &+ rotate(lanes.2, 12) &+ rotate(lanes.3, 18)
      hash = merge(merge(merge(merge(hash, lanes.0), lanes.1), lanes.2), lanes.3)
    } else {
      hash = prime5
    }
    hash = hash &+ UInt64(count)
    while offset + 8 <= count {
      hash = rotate(hash ^ round(0, word64(bytes, offset)), 27) &* prime1 &+ prime4
      offset += 8
    }
    if offset + 4 <= count {
      // SAFETY: every pattern of bits is an integer, and the load checks the bounds.
      let word = unsafe UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
      hash = rotate(hash ^ (UInt64(word) &* prime1), 23) &* prime2 &+ prime3
      offset += 4
    }
    while offset < count {
      // SAFETY: as above.
      let byte = unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
      hash = rotate(hash ^ (UInt64(byte) &* prime5), 11) &* prime1
      offset += 1
    }
    hash = (hash ^ (hash >> 33)) &* prime2
    hash = (hash ^ (hash >> 29)) &* prime3
    return hash ^ (hash >> 32)
  }

  private static func word64(_ bytes: RawSpan, _ offset: Int) -> UInt64 {
    // SAFETY: every pattern of bits is an integer, and the load checks the bounds.
    unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  private static func round(_ lane: UInt64, _ input: UInt64) -> UInt64 {
    rotate(lane &+ input &* prime2, 31) &* prime1
  }

  private static func merge(_ hash: UInt64, _ lane: UInt64) -> UInt64 {
    (hash ^ round(0, lane)) &* prime1 &+ prime4
  }

  private static func rotate(_ word: UInt64, _ count: UInt64) -> UInt64 { (word << count) | (word >> (64 - count)) }
}
