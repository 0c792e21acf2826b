internal import CLabRecord

// Samples are taken by bytes, as a Poisson process: the distance from one to the next is a random number of bytes, of
// exponential distribution, and an allocation that reaches over it is a sample. An allocation of s bytes is thus one
// with the probability 1 − exp(−s/m), where m is the mean distance, and stands for 1 over that many of its kind,
// whatever the sizes around it.

/// The samples of this process's allocations.
enum RecordedSamples {
  /// Whether an allocation is a sample; if so, its block is remembered until its end.
  static func takes(_ block: UInt, _ byteCount: UInt) -> Bool {
    // SAFETY: the slot is this thread's own, as also below.
    let slot = unsafe lab_record_slot()
    if unsafe slot.pointee.random == 0 {
      unsafe slot.pointee.random = lab_record_ticks() ^ UInt64(UInt(bitPattern: slot)) | 1
      unsafe slot.pointee.sample_distance = nextDistance(slot)
    }
    // An allocation of no bytes takes memory, too.
    let byteCount = max(byteCount, 1)
    // SAFETY: as above.
    let distance = unsafe slot.pointee.sample_distance
    guard byteCount >= distance else {
      // SAFETY: as above.
      unsafe slot.pointee.sample_distance = distance &- byteCount
      return false
    }
    // SAFETY: as above.
    unsafe slot.pointee.sample_distance = nextDistance(slot)
    return lab_record_sample_insert(block) != 0
  }

  private static func nextDistance(_ slot: Recorder.Slot) -> UInt {
    // SAFETY: the slot is this thread's own. xorshift64* (Vigna 2016).
    var state = unsafe slot.pointee.random
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    unsafe slot.pointee.random = state
    let bits = (state &* 0x2545_F491_4F6C_DD1D) >> 11
    let uniform = (Double(bits) + 1) * 0x1p-53
    return UInt(-logarithm(uniform) * Double(RecordedProcess.sampleByteCount)) &+ 1
  }

  /// The natural logarithm of a number above 0, to eight digits: libm would be a library more.
  ///
  /// x = 2^e · m with m in [√½, √2), and ln m = 2 artanh((m − 1)/(m + 1)), a series.
  private static func logarithm(_ x: Double) -> Double {
    var exponent = Double(x.exponent)
    var significand = x.significand
    if significand > 1.414_213_562_373_095 {
      significand /= 2
      exponent += 1
    }
    let ratio = (significand - 1) / (significand + 1)
    let square = ratio * ratio
    let series = 1 + square * (1.0 / 3 + square * (1.0 / 5 + square * (1.0 / 7 + square * (1.0 / 9 + square / 11))))
    return exponent * 0.693_147_180_559_945_3 + 2 * ratio * series
  }
}
