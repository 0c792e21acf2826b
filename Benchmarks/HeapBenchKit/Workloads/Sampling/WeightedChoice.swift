/// Picks one of *n* things by their weights, in O(log *n*).
struct WeightedChoice {
  /// The sum of the weights up to and including each thing's.
  private let sums: ContiguousArray<Double>

  /// A choice among things with these weights, none of them negative.
  init(_ weights: some Sequence<Double>) {
    var sum = 0.0
    sums = ContiguousArray(
      weights.map { weight in
        sum += weight
        return sum
      })
  }

  /// The index of a random thing. Traps when no weight is above 0.
  func index(using random: inout ReproducibleRandom) -> Int {
    guard let total = sums.last, total > 0 else { preconditionFailure("a choice needs something to choose from") }
    let wanted = random.unit() * total
    var low = 0
    var high = sums.count - 1
    // The first thing whose sum is above the wanted one. A thing without weight is never the first.
    while low < high {
      let middle = (low + high) / 2
      if sums[middle] > wanted { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
