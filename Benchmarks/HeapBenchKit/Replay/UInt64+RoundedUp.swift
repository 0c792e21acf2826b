extension UInt64 {
  /// The least multiple of `step` that is not below this number. Traps when `step` is 0 or the result overflows.
  func roundedUp(toMultipleOf step: UInt64) -> UInt64 { (self + step - 1) / step * step }
}
