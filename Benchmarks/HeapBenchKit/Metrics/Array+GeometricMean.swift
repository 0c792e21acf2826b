import Foundation

extension [Double] {
  /// The geometric mean of positive numbers; nil when there are none.
  var geometricMean: Double? {
    isEmpty ? nil : exp(reduce(0) { $0 + log($1) } / Double(count))
  }
}
