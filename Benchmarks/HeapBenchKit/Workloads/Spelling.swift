/// What a person may have meant by a name that does not exist.
public enum Spelling {
  /// The one of `names` that is nearest to `wrong`, if any is near enough to be meant.
  static func nearest(to wrong: String, among names: some Sequence<String>) -> String? {
    let limit = max(1, wrong.count / 3)
    return names.map { (name: $0, distance: distance(wrong.lowercased(), $0.lowercased())) }
      .filter { $0.distance <= limit || $0.name.hasPrefix(wrong) }
      .min { $0.distance < $1.distance }?.name
  }

  /// ` did you mean 'NAME'?` with a semicolon before it, or nothing when no name is near.
  public static func suggestion(for wrong: String, among names: some Sequence<String>) -> String {
    nearest(to: wrong, among: names).map { "; did you mean '\($0)'?" } ?? ""
  }

  /// The least number of characters to insert, remove, replace or swap with the next to make `b` of `a`: the optimal
  /// string alignment distance, row by row.
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
