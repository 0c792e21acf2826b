import Assertions
import CLabDriver

// heapbench-driver tail LEAST MOST --operations N [--threads N]
//
// The first line is JSON, with the figures that every workload has, the kernel's counts for the timed part, and the
// clock: what a reading takes, and how long a tick is. A line follows for each time that was counted: 'malloc' or 'free',
// the ticks, how often. So heapbench can add up rounds and draw the tail.

/// Times every call of a pattern, and prints how long how many took.
enum TailCommand {
  /// The largest size.
  private static let byteCountMax = 1 << 30

  static func run(_ arguments: inout CommandArguments) {
    let (least, most) = (size(&arguments), size(&arguments))
    guard least <= most else { stop("needs the least size before the most,", number: least, "bytes is the larger one") }
    var (operationCount, threadCount) = (1_000_000, 1)
    while let word = arguments.next() {
      switch word {
      case _ where word == "--operations": operationCount = arguments.number(after: word)
      case _ where word == "--threads": threadCount = arguments.number(after: word)
      default: stop("knows no option", word, "; there are --operations and --threads")
      }
    }
    if threadCount > 1024 { stop("--threads must be 1…1024, found", number: threadCount, "threads") }
    let pattern = TailPattern(
      sizes: SizeRange(least, most), threadCount: threadCount, operationCount: operationCount)
    write(pattern.run(), pattern)
  }

  private static func size(_ arguments: inout CommandArguments) -> Int {
    guard let word = arguments.next() else { stop("say the least and the most bytes of a block") }
    guard let byteCount = word.positiveNumber, byteCount >= 8, byteCount <= byteCountMax else {
      stop("needs a size of 8…1073741824 bytes, found", word)
    }
    return byteCount
  }

  private static func write(_ figures: consuming TailFigures, _ pattern: TailPattern) {
    var line = TextLine()
    line.append("{\"name\": \"tail\"")
    line.append(key: "operations", pattern.operationCount)
    line.append(key: "threads", pattern.threadCount)
    line.append(key: "nanoseconds", figures.span.nanoseconds)
    line.append(key: "ticks", Int(figures.span.ticks))
    line.append(key: "overheadTicks", Int(figures.overheadTicks))
    line.append(key: "minorFaultCount", figures.span.usage.minorFaultCount)
    line.append(key: "majorFaultCount", figures.span.usage.majorFaultCount)
    line.append(key: "voluntarySwitchCount", figures.span.usage.voluntarySwitchCount)
    line.append(key: "involuntarySwitchCount", figures.span.usage.involuntarySwitchCount)
    line.append("}")
    line.write(to: STDOUT_FILENO)
    write(figures.mallocs, "malloc ")
    write(figures.frees, "free ")
  }

  private static func write(_ histogram: borrowing LatencyHistogram, _ name: StaticString) {
    histogram.forEach { ticks, count in
      var line = TextLine()
      line.append(name)
      line.append(Int(ticks))
      line.append(" ")
      line.append(count)
      line.write(to: STDOUT_FILENO)
    }
  }
}
