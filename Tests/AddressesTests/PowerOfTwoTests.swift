import Addresses
import Testing

@Suite struct PowerOfTwoTests {
  @Test func everyPowerIsOneAndItsNeighboursAreNot() {
    for exponent in 0..<64 as Range<UInt64> {
      let power = 1 << exponent as UInt64
      #expect(power.isPowerOfTwo)
      if exponent > 1 { #expect(!(power - 1).isPowerOfTwo && !(power + 1).isPowerOfTwo) }
    }
  }

  @Test func zeroAndAllOnesAreNone() {
    #expect(!(0 as UInt).isPowerOfTwo && !UInt.max.isPowerOfTwo)
    #expect(!(0 as UInt8).isPowerOfTwo && !UInt8.max.isPowerOfTwo)
  }

  /// The least signed number has one bit set, as powers have.
  @Test func noNegativeNumberIsOne() {
    #expect(!Int.min.isPowerOfTwo && !Int8.min.isPowerOfTwo && !(-1).isPowerOfTwo && !(-4).isPowerOfTwo)
    #expect(1.isPowerOfTwo && (1 << 62).isPowerOfTwo && !Int.max.isPowerOfTwo)
  }
}
