// The goals of libheaplab beside its peers. The measured number decides whether a goal is met, not the rounded one that
// is printed. Where the peer or the workload is missing, the goal is not measured, and never met.

/// A bound on one figure of the general-purpose allocator.
struct Goal: Sendable {
  /// What is measured.
  let figure: String
  /// The bound as text.
  let bound: String
  /// The measured value and its limit; nil when something that the figure needs was not measured.
  let evaluate: @Sendable (ComparisonReport) -> Measured?
  /// Whether the bar is made for patterns of the full size.
  var needsFullSize = false

  /// A figure beside its limit.
  struct Measured: Hashable, Sendable {
    let value: Double
    let limit: Double
    /// The workload that decided, or the figure of the peer to beat.
    var place: String?
    /// Whether the value must be less than the limit, and not equal to it.
    var isStrict = false

    var isMet: Bool { isStrict ? value < limit : value <= limit }

    /// A measurement that the allocator did not survive: failing meets no goal.
    static func failed(_ workload: String, limit: Double) -> Measured {
      Measured(value: .infinity, limit: limit, place: "failed: \(workload)")
    }
  }
}
