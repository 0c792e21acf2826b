/// Picks one of several things by their weights, in O(log *n*).
struct WeightedChoice {
  /// The sum of the weights up to each thing, its own included.
  private let sums: ContiguousArray<Double>

  /// A choice among as many things as there are weights, none of them negative.
  init(_ weights: some Sequence<Double>) {
    var sum = 0.0
    sums = ContiguousArray(
      weights.map { weight in
        sum += weight
        return sum
      })
  }

  /// The index of a thing; there must be one with a weight.
  func index(using random: inout ReproducibleRandom) -> Int {
    guard let total = sums.last, total > 0 else { preconditionFailure("a choice needs something to choose from") }
    let wanted = random.unit() * total
    var low = 0
    var high = sums.count - 1
    // The first thing whose sum passes the wanted one; one without weight never does before its predecessor.
    while low < high {
      let middle = (low + high) / 2
      if sums[middle] > wanted { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
