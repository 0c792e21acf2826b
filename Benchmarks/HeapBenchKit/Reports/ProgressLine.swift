import CLabBench
import Foundation
import Synchronization

/// Shows a job's progress on standard error: on a terminal by one changing line, elsewhere by a line for each workload.
public final class ProgressLine: ProgressMeter {
  fileprivate struct State {
    var weights: [Double] = []
    var completedCount = 0
    var share = 0.0
    var what = ""
    var startNanoseconds: UInt64 = 0
    var isShown = false
    var lastWorkload = ""
  }

  private let state = Mutex(State())
  /// Whether standard error is a terminal that can replace a line.
  private let isTerminal: Bool
  private let columnCount: Int

  /// A progress line that is as wide as `style` says.
  public init(style: TerminalStyle = .standardError) {
    isTerminal = isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    columnCount = style.columnCount
  }

  public func begin(weights: [Double]) {
    state.withLock {
      $0.weights = weights
      $0.startNanoseconds = lab_clock_nanoseconds()
    }
  }

  public func show(_ what: String, share: Double) {
    let text = state.withLock { state -> String? in
      state.what = what
      state.share = share
      return isTerminal ? state.bar(columnCount: columnCount) : state.plainLine()
    }
    if let text { write(text) }
  }

  public func completeWorkload() {
    state.withLock {
      $0.completedCount += 1
      $0.share = 0
    }
  }

  public func end() {
    let wasShown = state.withLock { state in
      defer { state.isShown = false }
      return state.isShown
    }
    if isTerminal && wasShown { write("\r\u{1B}[K") }
  }

  private func write(_ text: String) {
    FileHandle.standardError.write(Data(text.utf8))
  }
}

extension ProgressLine.State {
  /// The share of the job that is done, 0 to 1.
  private var done: Double {
    let total = weights.reduce(0, +)
    guard total > 0 else { return 0 }
    let current = completedCount < weights.count ? weights[completedCount] * share : 0
    return (weights.prefix(completedCount).reduce(0, +) + current) / total
  }

  /// The expected time for the rest of the job, as text; empty until there is a pace to go by.
  private var timeLeft: String {
    let elapsed = Double(lab_clock_nanoseconds() - startNanoseconds) / 1e9
    guard done > 0.02, elapsed > 1 else { return "" }
    let seconds = Int((elapsed / done * (1 - done)).rounded(.up))
    return seconds < 60 ? "\(seconds) s left" : "\(seconds / 60) min \(seconds % 60) s left"
  }

  /// The line for a terminal, which replaces the previous one.
  fileprivate mutating func bar(columnCount: Int) -> String {
    isShown = true
    let width = min(24, columnCount / 4)
    let filled = Int((done * Double(width)).rounded(.down))
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
    let percent = "\(Int(done * 100))%".leftPadded(to: 4)
    let tail = timeLeft.isEmpty ? "" : "  \(timeLeft)"
    // The last column stays free: a terminal may wrap behind it.
    let room = columnCount - width - percent.count - tail.count - 4
    return "\r\u{1B}[K\(bar) \(percent)  \(what.shortened(to: max(0, room)))\(tail)"
  }

  /// The line for a log, once for each workload.
  fileprivate mutating func plainLine() -> String? {
    let workload = String(what.prefix { $0 != ":" }).droppingPrefix("loading ")
    guard workload != lastWorkload else { return nil }
    lastWorkload = workload
    let tail = timeLeft.isEmpty ? "" : ", \(timeLeft)"
    return "heapbench: \(workload) (\(completedCount + 1) of \(weights.count)\(tail))\n"
  }
}
