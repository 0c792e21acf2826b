import Assertions
import CLabDriver

// heapbench-driver runs one workload with the `malloc` that the process was started with, and prints its figures.
//
//   heapbench-driver list
//   heapbench-driver run NAME [--milliseconds N | --operations N] [--threads N] [--percent N]
//   heapbench-driver run FILE.hltrace [--operations N]
//   heapbench-driver tail LEAST MOST --operations N [--threads N]
//   heapbench-driver press BYTES     (until it is stopped)
//   heapbench-driver replay          (the steps of a trace, streamed by heapbench)
//   heapbench-driver time [--preload FILE] [--repeat N] PROGRAM ARGUMENT...
//
// It is Embedded Swift without allocations and depends on libc alone. Only the workload calls the malloc family, so the
// calls are the same under every preloaded allocator. `heapbench compare` starts it.
//
// Speed: `--operations N` runs exactly N operations, once. The difference between two counts under callgrind is then
// the cost of the operations alone. Without the option, the driver doubles the number of operations until they fill an
// eighth of the time, twice in a row. That also warms the allocator up. Then it measures as many as fill the whole time,
// and repeats a run that filled less than half of it. All of these are processor times of all threads together.
//
// Trace: every recorded call is made once, on as many threads as in the recording. `--operations N` makes the first N.
//
// Footprint: a fixed number of calls. Resident bytes are the growth since just before the first call: at the peak by
// the kernel's high-water mark, at the end by the sum over the page tables. They include everything that grows with the
// workload: the allocator's own tables, thread stacks, and code that is touched for the first time.

/// The program.
@main struct Driver {
  static func main() {
    var arguments = CommandArguments()
    _ = arguments.next()
    guard let command = arguments.next() else {
      stop("say 'heapbench-driver list' or 'heapbench-driver run NAME'")
    }
    switch command {
    case _ where command == "list": list()
    case _ where command == "run": run(&arguments)
    case _ where command == "tail": TailCommand.run(&arguments)
    case _ where command == "press": MemoryPressure.run(&arguments)
    case _ where command == "replay": replayStream()
    case _ where command == "time":
      var program = TimedProgram(&arguments)
      program.run()
      program.write()
    default: stop("knows 'list', 'run', 'tail', 'press', 'replay' and 'time', not", command)
    }
  }

  private static func list() {
    var index = 0
    while let workload = Workload.at(index) {
      var line = TextLine()
      line.append(workload.name)
      line.append("\t")
      line.append(workload.kind)
      line.write(to: STDOUT_FILENO)
      index += 1
    }
  }

  private static func run(_ arguments: inout CommandArguments) {
    guard let name = arguments.next() else { stop("say which workload: 'heapbench-driver list' shows them") }
    var options = Options()
    while let word = arguments.next() { options.take(word, &arguments) }
    var line = TextLine()
    line.append("{\"name\": \"")
    line.append(quoted: name.lastComponent)
    line.append("\"")
    if name.hasSuffix(".hltrace") {
      replay(name, options, &line)
    } else {
      runBuiltIn(name, options, &line)
    }
    line.append("}")
    line.write(to: STDOUT_FILENO)
  }

  private static func runBuiltIn(_ name: Text, _ options: Options, _ line: inout TextLine) {
    guard let workload = Workload(named: name) else {
      stop("no workload is called", name, "; 'heapbench-driver list' shows them")
    }
    switch workload.pattern {
    case .speed(let pattern): run(pattern, options, &line)
    case .footprint(let pattern): run(pattern, options, &line)
    case .idle(let threads): run(threads, options, &line)
    case .stall(let pattern): run(pattern, options, &line)
    case .latency(let sizes): run(sizes, options, &line)
    case .trivialProcess: runTrivialProcess(options, &line)
    }
  }

  /// Takes the steps that heapbench streams.
  private static func replayStream() {
    var replay = StreamedReplay()
    let faultCount = Residence.minorFaultCount
    let resident = Residence.byteCount
    let elapsed = replay.run()
    var line = TextLine()
    line.append("{\"name\": \"replay\"")
    append(
      replay.callCount, elapsed, threads: replay.threadCount, minorFaultCount: Residence.minorFaultCount - faultCount,
      &line)
    line.append(key: "peakResidentByteCount", max(0, Residence.peakByteCount - resident))
    line.append(key: "endResidentByteCount", max(0, Residence.byteCount - resident))
    line.append("}")
    line.write(to: STDOUT_FILENO)
  }

  private static func replay(_ path: Text, _ options: Options, _ line: inout TextLine) {
    guard options.threads == nil, options.percent == nil else {
      stop("a trace has its own threads and size; it takes --operations, for its first calls")
    }
    var replay = TraceReplay(TraceSteps(path: path, limit: options.operations))
    let faultCount = Residence.minorFaultCount
    let elapsed = replay.run()
    append(
      replay.callCount, elapsed, threads: replay.threadCount, minorFaultCount: Residence.minorFaultCount - faultCount,
      &line)
  }

  private static func run(_ pattern: SpeedPattern, _ options: Options, _ line: inout TextLine) {
    guard options.percent == nil else { stop("a speed workload takes --milliseconds or --operations, not --percent") }
    guard options.threads == nil || pattern.scales else {
      stop("this workload has its own threads: leave --threads out")
    }
    let threads = options.threads ?? pattern.threadCount
    let wanted = (options.milliseconds ?? 200) * 1_000_000
    var count = options.operations ?? calibrated(pattern, nanoseconds: wanted, threads: threads)
    var faultCount = Residence.minorFaultCount
    var elapsed = pattern.run(count, threads: threads)
    if options.operations == nil, pattern.operationCountMost == nil {
      for _ in 0..<repetitionCountMost where elapsed.processorNanoseconds < wanted / 2 {
        count = max(2 * count, scaled(count, from: elapsed.processorNanoseconds, to: wanted))
        faultCount = Residence.minorFaultCount
        elapsed = pattern.run(count, threads: threads)
      }
    }
    append(count, elapsed, threads: threads, minorFaultCount: Residence.minorFaultCount - faultCount, &line)
    if pattern.freesBySize, !MallocExtensions().hasSizedFree { line.append(key: "unsizedFrees", 1) }
  }

  /// Appends the figures that every workload has.
  private static func append(
    _ operationCount: Int, _ elapsed: Elapsed, threads: Int, minorFaultCount: Int, _ line: inout TextLine
  ) {
    line.append(key: "operations", operationCount)
    line.append(key: "nanoseconds", elapsed.nanoseconds)
    line.append(key: "processorNanoseconds", elapsed.processorNanoseconds)
    line.append(key: "threads", threads)
    line.append(key: "minorFaultCount", minorFaultCount)
  }

  /// How often a run that was too short is repeated at most, each time with at least twice as many operations.
  private static let repetitionCountMost = 12

  /// How many operations take that many nanoseconds, by trial runs of up to an eighth of the time and more.
  private static func calibrated(_ pattern: SpeedPattern, nanoseconds wanted: Int, threads: Int) -> Int {
    if let most = pattern.operationCountMost { return most }
    var count = pattern.trialOperationCount(threads: threads)
    func run() -> Int { pattern.run(count, threads: threads).processorNanoseconds }
    while true {
      // Processor time: on a busy machine a short run waits longer than it works. A run that is long enough must be so
      // twice: the first operations may take milliseconds, in which an allocator maps or clears memory.
      if run() >= wanted / 8 {
        let nanoseconds = run()
        if nanoseconds >= wanted / 8 { return scaled(count, from: nanoseconds, to: wanted) }
      }
      count *= 2
    }
  }

  /// How many operations take `wanted` nanoseconds when `count` took `nanoseconds`.
  private static func scaled(_ count: Int, from nanoseconds: Int, to wanted: Int) -> Int {
    max(1, Int(Double(count) * Double(wanted) / Double(max(1, nanoseconds))))
  }

  private static func run(_ pattern: FootprintPattern, _ options: Options, _ line: inout TextLine) {
    let figures = pattern.run(percent: options.percentOfFixedWork)
    append(
      figures.operationCount, figures.elapsed, threads: pattern.threadCount, minorFaultCount: figures.minorFaultCount,
      &line)
    line.append(key: "peakLiveByteCount", figures.peakLiveByteCount)
    line.append(key: "peakResidentByteCount", figures.peakResidentByteCount)
    line.append(key: "endLiveByteCount", figures.endLiveByteCount)
    line.append(key: "endResidentByteCount", figures.endResidentByteCount)
  }

  private static func run(_ threads: IdleThreads, _ options: Options, _ line: inout TextLine) {
    let figures = threads.run(percent: options.percentOfFixedWork)
    append(
      figures.operationCount, figures.elapsed, threads: figures.threadCount, minorFaultCount: figures.minorFaultCount,
      &line)
    line.append(key: "idleResidentByteCount", figures.idleResidentByteCount)
    line.append(key: "trimmedResidentByteCount", figures.trimmedResidentByteCount)
  }

  private static func run(_ pattern: StallPattern, _ options: Options, _ line: inout TextLine) {
    let figures = pattern.run(percent: options.percentOfFixedWork)
    append(
      figures.callCount, figures.elapsed, threads: pattern.threadCount, minorFaultCount: figures.minorFaultCount, &line)
    line.append(key: "slowestNanoseconds", figures.slowestNanoseconds)
  }

  private static func run(_ sizes: DrawnSizes, _ options: Options, _ line: inout TextLine) {
    let figures = CallLatencies.run(sizes, percent: options.percentOfFixedWork)
    append(
      figures.malloc.callCount, figures.elapsed, threads: 1, minorFaultCount: figures.minorFaultCount, &line)
    line.append(", \"mallocLatency\": ")
    figures.malloc.append(to: &line)
    line.append(", \"freeLatency\": ")
    figures.free.append(to: &line)
  }

  private static func runTrivialProcess(_ options: Options, _ line: inout TextLine) {
    let percent = options.percentOfFixedWork
    let faultCount = Residence.minorFaultCount
    let start = Elapsed.now
    let (operationCount, residentByteCount) = TrivialProcess.run(percent: percent)
    append(
      operationCount, .now - start, threads: 1, minorFaultCount: Residence.minorFaultCount - faultCount, &line)
    line.append(key: "peakResidentByteCount", residentByteCount)
  }
}

/// The options after a workload's name.
private struct Options {
  var operations: Int?
  var milliseconds: Int?
  var threads: Int?
  var percent: Int?

  /// The percentage for a workload that takes no other option.
  var percentOfFixedWork: Int {
    guard operations == nil, milliseconds == nil, threads == nil else {
      stop("this workload does a fixed amount of work; --percent makes it smaller")
    }
    return percent ?? 100
  }

  mutating func take(_ word: Text, _ arguments: inout CommandArguments) {
    switch word {
    case _ where word == "--operations": operations = arguments.number(after: word)
    case _ where word == "--milliseconds": milliseconds = arguments.number(after: word)
    case _ where word == "--threads": threads = arguments.number(after: word)
    case _ where word == "--percent": percent = arguments.number(after: word)
    default: stop("knows no option", word, "; there are --milliseconds, --operations, --threads and --percent")
    }
    if operations != nil && milliseconds != nil { stop("takes --operations or --milliseconds, not both") }
    if let threads, threads > 1024 { stop("--threads must be 1…1024, found", number: threads, "threads") }
    if let percent, percent > 100 { stop("--percent must be 1…100, found", number: percent, "percent") }
  }
}
