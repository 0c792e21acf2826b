import Foundation

/// The width and the colours of the reader's terminal.
public struct TerminalStyle: Hashable, Sendable {
  /// The number of columns, 40 to 200.
  public let columnCount: Int
  /// Whether the terminal understands escape sequences for colours.
  public let hasColour: Bool

  /// The widths that reports have.
  public static let columnCounts = 40...200

  /// A terminal of `columnCount` columns, clamped to ``columnCounts``.
  public init(columnCount: Int, hasColour: Bool) {
    self.columnCount = min(max(columnCount, Self.columnCounts.lowerBound), Self.columnCounts.upperBound)
    self.hasColour = hasColour
  }

  /// The style of standard output: that of the terminal, or 100 columns without colour for a file.
  ///
  /// `COLUMNS` sets the width of a file. `NO_COLOR` and `TERM=dumb` switch colours off.
  public static var standardOutput: TerminalStyle { style(of: STDOUT_FILENO) }

  /// The style of standard error, as ``standardOutput``.
  public static var standardError: TerminalStyle { style(of: STDERR_FILENO) }

  private static func style(of descriptor: Int32) -> TerminalStyle {
    let environment = ProcessInfo.processInfo.environment
    var size = winsize()
    // SAFETY: the out-parameter is this function's own.
    let isTerminal = unsafe isatty(descriptor) == 1 && ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0
    let columns = isTerminal && size.ws_col > 0 ? Int(size.ws_col) : environment["COLUMNS"].flatMap { Int($0) } ?? 100
    let isPlain = environment["NO_COLOR"].map { !$0.isEmpty } ?? false || environment["TERM"] == "dumb"
    return TerminalStyle(columnCount: columns, hasColour: isTerminal && !isPlain)
  }

  /// The ways to emphasise text.
  enum Emphasis: String {
    case strong = "1"
    case faint = "2"
    case good = "32"
    case bad = "31"
    case title = "1;36"
  }

  /// The text, emphasised where the terminal has colours and the text is not blank.
  func text(_ text: String, _ emphasis: Emphasis) -> String {
    hasColour && text.contains(where: { $0 != " " }) ? "\u{1B}[\(emphasis.rawValue)m\(text)\u{1B}[0m" : text
  }
}

extension String {
  /// The string cut to `count` characters; the last one is `…` if something was cut.
  func shortened(to count: Int) -> String {
    self.count <= count ? self : prefix(max(0, count - 1)) + "…"
  }

  /// The string padded on the left to `count` characters.
  func leftPadded(to count: Int) -> String {
    String(repeating: " ", count: Swift.max(0, count - self.count)) + self
  }

  /// The string padded on the right to `count` characters.
  func rightPadded(to count: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, count - self.count))
  }

  /// The words in lines of at most `count` characters, each starting with `indent`.
  func wrapped(to count: Int, indent: String = "") -> String {
    var lines: [String] = []
    var line = ""
    for word in split(separator: " ") {
      if !line.isEmpty && indent.count + line.count + 1 + word.count > count {
        lines.append(indent + line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    return (lines + [indent + line]).joined(separator: "\n")
  }
}
