import Foundation

/// Tails over two logarithmic axes, drawn with letters.
struct TailPlot {
  struct Series {
    let name: String
    /// Points of ascending rarity: one call in `rarity` takes longer.
    let tail: [(rarity: Double, nanoseconds: Double)]

    /// The time at a rarity, on the straight line between two points; nil beyond the last one.
    func nanoseconds(at rarity: Double) -> Double? {
      guard let next = tail.firstIndex(where: { $0.rarity >= rarity * 0.999 }) else { return nil }
      guard next > 0 else { return tail[next].nanoseconds }
      let (left, right) = (tail[next - 1], tail[next])
      let share = min(1, log(rarity / left.rarity) / log(right.rarity / left.rarity))
      return left.nanoseconds * pow(right.nanoseconds / left.nanoseconds, share)
    }
  }

  let series: [Series]
  let columnCount: Int

  private static let rowCount = 14
  private static let marginWidth = 9
  private static let letters = Array("abcdefghijklmnopqrstuvwxyz")

  /// The plot with its axes and a legend; each line ends with a newline. Empty without a point.
  var text: String {
    let points = series.flatMap(\.tail)
    guard let rarest = points.map(\.rarity).max(), let least = points.map(\.nanoseconds).min(),
      let most = points.map(\.nanoseconds).max()
    else { return "" }
    let low = Int(log10(least).rounded(.down))
    let decadeCount = max(1, Int(log10(most).rounded(.up)) - low)
    let rowsPerDecade = max(1, Self.rowCount / decadeCount)
    let lastRow = decadeCount * rowsPerDecade
    let width = max(20, columnCount - Self.marginWidth - 1)
    let decades = max(1, log10(rarest / 2))
    var grid = [[Character]](repeating: [Character](repeating: " ", count: width), count: lastRow + 1)
    for (index, curve) in series.enumerated() {
      // Where curves meet, a star stands for all of them.
      let letter = Self.letters[index % Self.letters.count]
      for column in 0..<width {
        guard let time = curve.nanoseconds(at: 2 * pow(10, Double(column) / Double(width - 1) * decades)) else { break }
        let row = lastRow - Int(((log10(time) - Double(low)) * Double(rowsPerDecade)).rounded())
        grid[row][column] = grid[row][column] == " " ? letter : "*"
      }
    }
    var lines = grid.enumerated().map { row, cells in
      let (decade, rest) = (lastRow - row).quotientAndRemainder(dividingBy: rowsPerDecade)
      let mark = rest == 0 ? LogarithmicChart.durationText(pow(10, Double(low + decade))) : ""
      return (mark.leftPadded(to: Self.marginWidth - 1) + " │" + String(cells)).trimmingEnd
    }
    lines.append(String(repeating: " ", count: Self.marginWidth) + "└" + String(repeating: "─", count: width))
    lines.append(axis(decades, width))
    let legend = series.enumerated().map { "\(Self.letters[$0.offset % Self.letters.count]) \($0.element.name)" }
    let meaning = "one call in so many takes longer · \(legend.joined(separator: ", ")), * several"
    return (lines + [meaning.wrapped(to: columnCount, indent: "  ")]).joined(separator: "\n") + "\n"
  }

  /// The marks at powers of ten.
  private func axis(_ decades: Double, _ width: Int) -> String {
    var line = [Character](repeating: " ", count: Self.marginWidth + 1 + width)
    var power = 1.0
    while power <= decades + log10(2) {
      let column = Self.marginWidth + 1 + Int((power - log10(2)) / decades * Double(width - 1))
      let mark = "10" + Self.superscript(Int(power))
      for (offset, character) in mark.enumerated() where column + offset < line.count {
        line[column + offset] = character
      }
      power += 1
    }
    return String(line).trimmingEnd
  }

  private static func superscript(_ number: Int) -> String {
    let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
    return String(String(number).compactMap { $0.wholeNumberValue.map { digits[$0] } })
  }
}
