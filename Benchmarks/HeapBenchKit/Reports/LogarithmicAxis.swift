import Foundation

/// A logarithmic axis that begins and ends where the data do, with marks at powers of ten or of two.
struct LogarithmicAxis {
  /// Which numbers have marks.
  enum Marks {
    /// 1, 2 and 5 times powers of ten; powers of ten alone where there are many.
    case decimal
    /// Powers of two, as for numbers of threads.
    case powersOfTwo
  }

  private let low: Double
  private let high: Double
  private let marksAt: Marks

  /// The axis of positive numbers. It has some length even when they are all equal.
  init(over values: [Double], marks: Marks) {
    let least = values.min() ?? 1
    low = least
    high = max(values.max() ?? 10, least * 1.25)
    marksAt = marks
  }

  /// Where a number lies on the axis: 0 at its start, 1 at its end.
  func place(of value: Double) -> Double { log(value / low) / log(high / low) }

  /// The numbers with a mark.
  var marks: [Double] {
    let candidates: [Double]
    switch marksAt {
    case .powersOfTwo:
      candidates = (Int(log2(low).rounded(.down))...Int(log2(high).rounded(.up))).map { pow(2, Double($0)) }
    case .decimal:
      let decades = Int(log10(low).rounded(.down))...Int(log10(high).rounded(.up))
      let steps: [Double] = high / low > 1000 ? [1] : [1, 2, 5]
      candidates = decades.flatMap { decade in steps.map { $0 * pow(10, Double(decade)) } }
    }
    return candidates.filter { $0 >= low * 0.999 && $0 <= high * 1.001 }
  }

  /// Places for labels that would overlap: as near to the wanted ones as can be, at least `distance` apart, in 0…`end`.
  /// The places are in the order of the wanted ones.
  ///
  /// - Complexity: O(n²) for n labels.
  static func spread(_ wanted: [Double], apart distance: Double, upTo end: Double) -> [Double] {
    let order = wanted.indices.sorted { wanted[$0] < wanted[$1] }
    var places = wanted
    for (previous, next) in zip(order, order.dropFirst()) {
      places[next] = max(places[next], places[previous] + distance)
    }
    // Whatever was pushed past the end moves back, and pushes those before it.
    var limit = end
    for index in order.reversed() {
      places[index] = min(places[index], limit)
      limit = places[index] - distance
    }
    return places
  }
}
