/// Suggests names for misspelt ones.
public enum Spelling {
  /// The name that is closest to `wrong`; nil when none is close enough.
  static func nearest(to wrong: String, among names: some Sequence<String>) -> String? {
    // Every name is one character away from nothing, or starts with it.
    guard !wrong.isEmpty else { return nil }
    let limit = max(1, wrong.count / 3)
    return names.map { (name: $0, distance: distance(wrong.lowercased(), $0.lowercased())) }
      .filter { $0.distance <= limit || $0.name.hasPrefix(wrong) }
      .min { $0.distance < $1.distance }?.name
  }

  /// `; did you mean 'NAME'?`, or an empty text when no name is close.
  public static func suggestion(for wrong: String, among names: some Sequence<String>) -> String {
    nearest(to: wrong, among: names).map { "; did you mean '\($0)'?" } ?? ""
  }

  /// The least number of characters to insert, remove, replace or swap with the next one to turn `a` into `b`: the
  /// optimal string alignment distance, computed row by row.
  static func distance(_ a: String, _ b: String) -> Int {
    let a = Array(a)
    let b = Array(b)
    var rows = [Array(0...b.count)]
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var best = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, rows[i - 1][j - 1] + 1) }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
