import Assertions
import CLabDriver

// The driver starts whole programs, and not heapbench: a child begins as a copy of its parent, and Linux counts the
// parent's resident memory towards the child's peak. The driver has almost none.

/// A program that is run several times, with its figures.
@safe struct TimedProgram: ~Copyable {
  private let words: MappedTable<UnsafeMutablePointer<CChar>?>
  private static let wordCountMost = 4095
  private var repetitionCount = 1

  private var nanoseconds = 0
  private var processorNanoseconds = 0
  private var peakResidentByteCount = 0
  private var minorFaultCount = 0

  /// The program that the remaining arguments name: `[--preload FILE] [--repeat N] PROGRAM ARGUMENT...`
  init(_ arguments: inout CommandArguments) {
    // SAFETY: zero bytes are null pointers. One place more than there may be words keeps the list's end.
    unsafe words = MappedTable(count: Self.wordCountMost + 1)
    var wordCount = 0
    while let word = arguments.next() {
      if wordCount == 0, word == "--preload" {
        guard let library = arguments.next() else { stop("needs a file after", word) }
        // SAFETY: both are C strings; no other thread runs.
        unsafe setenv(cString("LD_PRELOAD"), library.cString, 1)
      } else if wordCount == 0, word == "--repeat" {
        repetitionCount = arguments.number(after: word)
      } else if wordCount < TimedProgram.wordCountMost {
        unsafe words[wordCount] = UnsafeMutablePointer(mutating: word.cString)
        wordCount += 1
      }
    }
    if wordCount == 0 { stop("say which program to time") }
  }

  /// Runs the program as often as the arguments say; ends this process when a run fails.
  mutating func run() {
    for _ in 0..<repetitionCount { runOnce() }
  }

  private mutating func runOnce() {
    var process = pid_t()
    var status: Int32 = 0
    var usage = rusage()
    let start = Clock.nanoseconds
    // SAFETY: the words are C strings and end with a null pointer; the out-parameters are this function's own.
    let code = unsafe lab_program_start(words.address(of: 0), &process)
    guard code == 0 else { stop("cannot start the program, error", number: Int(code), "of posix_spawn") }
    guard unsafe wait4(process, &status, 0, &usage) == process else { stop("cannot wait for the program") }
    nanoseconds += Clock.nanoseconds - start
    if status & 0x7F != 0 { stop("the program was ended by signal", number: Int(status & 0x7F), "by its number") }
    if status != 0 { stop("the program failed", number: Int(status >> 8), "as its exit status") }
    processorNanoseconds += usage.ru_utime.nanoseconds + usage.ru_stime.nanoseconds
    peakResidentByteCount = max(peakResidentByteCount, usage.ru_maxrss * 1024)
    minorFaultCount += usage.ru_minflt
  }

  /// Prints the figures: sums over the runs, and the highest peak.
  func write() {
    var line = TextLine()
    line.append("{\"name\": \"program\"")
    line.append(key: "operations", repetitionCount)
    line.append(key: "nanoseconds", nanoseconds)
    line.append(key: "processorNanoseconds", processorNanoseconds)
    line.append(key: "threads", 1)
    line.append(key: "minorFaultCount", minorFaultCount)
    line.append(key: "peakResidentByteCount", peakResidentByteCount)
    line.append("}")
    line.write(to: STDOUT_FILENO)
  }
}

extension timeval {
  fileprivate var nanoseconds: Int { tv_sec * 1_000_000_000 + tv_usec * 1000 }
}
