import Foundation

/// Summaries in one number of how the free bytes are distributed over runs.
public enum FreeRunDistribution {
  /// How much the heap looks like a checkerboard: free runs ÷ (used blocks + 1), 0 to 1.
  ///
  /// Between and around n used blocks there is room for n + 1 runs; 1 means that all of them exist. Compare Knuth's
  /// fifty-percent rule (TAOCP 1 §2.5): in equilibrium a first-fit heap has half as many holes as blocks.
  public static func checkerboard(of layout: HeapLayout) -> Double {
    min(1, Double(layout.freeRuns.count) / Double(layout.usedBlockCount + 1))
  }

  /// The Gini coefficient of the run lengths: 0 when all are equal, near 1 when one run holds nearly all free bytes.
  ///
  ///     G = Σ (2i − n − 1) · bᵢ / (n · Σ bᵢ)   with b₁ ≤ … ≤ bₙ, i from 1
  /// - Returns: 0 without free runs.
  /// - Complexity: O(n log n) in the number of free runs.
  public static func gini(of layout: HeapLayout) -> Double {
    guard layout.freeByteCount > 0 else { return 0 }
    let lengths = layout.freeRuns.map(\.byteCount).sorted()
    let count = Double(lengths.count)
    var sum = 0.0
    for (index, length) in lengths.enumerated() {
      sum += (2 * Double(index + 1) - count - 1) * Double(length)
    }
    return sum / (count * Double(layout.freeByteCount))
  }

  /// The Shannon entropy, in bits, of the run that holds a random free byte: −Σ pᵢ · log2 pᵢ with pᵢ = bᵢ / Σ bᵢ.
  ///
  /// It is 0 for a single run and log2 n for n equal runs. Two to its power is the number of equal runs with the same
  /// entropy.
  /// - Returns: 0 without free runs.
  /// - Complexity: O(n) in the number of free runs.
  public static func entropyBits(of layout: HeapLayout) -> Double {
    let free = Double(layout.freeByteCount)
    let sum = layout.freeRuns.reduce(0.0) { sum, run in
      let share = Double(run.byteCount) / free
      return sum - share * log2(share)
    }
    return max(0, sum)
  }
}
