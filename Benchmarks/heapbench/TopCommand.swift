public import ArgumentParser
import Foundation
public import HeapBenchKit

extension ProcessTable.Order: ExpressibleByArgument {}

/// Shows all processes on libheaplab.so, again and again.
struct TopCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "top",
    abstract: "Shows every process of this host on libheaplab.so, refreshed as by top.",
    discussion: """
      Columns: live bytes; resident bytes of the heap; of these, retained ones, which a purge would return, and \
      fragmented ones, which live blocks pin; what threads have at hand; the resident set of the whole process; what was \
      purged since its start. A row with ~ moved while it was read. In a terminal, the keys l, r, t, f, h, s, u, p and n \
      sort by live, resident, retained, fragmented, threads, rss, purged, pid and name, and q ends. Elsewhere the table \
      is printed once.

      EXAMPLES
        heapbench top --sort fragmented
        heapbench top --once --json -
      """)

  @Option(
    name: .long, help: ArgumentHelp("What the largest of comes first.", valueName: "column"))
  var sort = ProcessTable.Order.live

  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp("Seconds between two tables, 0.1…3600.", valueName: "seconds"))
  var interval = 2.0

  @Flag(name: .long, help: "Print one table and end.") var once = false

  @OptionGroup var figures: JSONOptions

  func validate() throws {
    guard (0.1...3600).contains(interval) else {
      throw UserError("--interval must be 0.1…3600 seconds, found \(interval)")
    }
    if figures.json != nil, !once { throw UserError("--json has the figures of one moment; add --once") }
  }

  func run() throws {
    guard !once, let screen = Screen() else {
      let results = try Results(json: figures.json)
      let table = ProcessTable(order: sort)
      try results.show(table.text(style: .standardOutput))
      return try results.write(json: try table.json())
    }
    defer { screen.close() }
    var order = sort
    while true {
      let text = ProcessTable(order: order).text(style: .standardOutput, rowCount: screen.rowCount - 3)
      try screen.show(text)
      switch screen.key(within: interval) {
      case "q", "\u{3}", "\u{4}": return
      case let key?: order = ProcessTable.Order.allCases.first { $0.key == key } ?? order
      case nil: break
      }
    }
  }
}

/// A terminal whose keys come one by one, without being shown.
private struct Screen {
  private let before: termios

  /// The terminal; nil when standard input or standard output is none.
  init?() {
    var settings = termios()
    // SAFETY: the out-parameter is this function's own.
    guard isatty(STDOUT_FILENO) == 1, unsafe tcgetattr(STDIN_FILENO, &settings) == 0 else { return nil }
    before = settings
    settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
    // SAFETY: C reads the struct.
    guard unsafe tcsetattr(STDIN_FILENO, TCSANOW, &settings) == 0 else { return nil }
  }

  /// Gives the terminal back as it was.
  func close() {
    var settings = before
    // SAFETY: as above.
    _ = unsafe tcsetattr(STDIN_FILENO, TCSANOW, &settings)
  }

  /// How many rows it has.
  var rowCount: Int {
    var size = winsize()
    // SAFETY: as above.
    return unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_row > 4 ? Int(size.ws_row) : 24
  }

  /// Shows a text from the top of the screen, over what was there.
  func show(_ text: String) throws {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\u{1B}[K\n")
    try StandardOutput.write("\u{1B}[H\(lines)\u{1B}[J")
  }

  /// The next key; nil when none came within some seconds.
  func key(within seconds: Double) -> Character? {
    var request = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    // SAFETY: C writes to the one element.
    guard unsafe poll(&request, 1, Int32(seconds * 1000)) == 1 else { return nil }
    var byte: UInt8 = 0
    // SAFETY: C writes one byte. The end of input ends the display.
    return unsafe read(STDIN_FILENO, &byte, 1) == 1 ? Character(UnicodeScalar(byte)) : "q"
  }
}
