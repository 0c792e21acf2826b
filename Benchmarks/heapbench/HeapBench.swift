import ArgumentParser
import CLabMalloc
import Foundation
import HeapBenchKit

/// heapbench measures how allocation policies serve the requests of real and synthetic programs.
@main
struct HeapBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "heapbench",
    abstract: "Measures allocation policies under recorded and synthetic programs, beside the system's malloc.",
    discussion: """
      Without a command it runs the main job, 'heapbench all', which takes two to three minutes on two cores in a \
      release build. 'heapbench help COMMAND' lists the options of a command.

      EXAMPLES
        heapbench
            the main job; files go to ./bench-results
        heapbench run --trace sqlite-oltp
            one recorded program under all policies
        heapbench run --profile web-server --profile compiler --policy firstfit --policy system
            two synthetic ones under two policies
        heapbench run --trace ./mine.hltrace --json figures.json --csv figures.csv
            a trace of your own, with all figures in files
        heapbench run --profile sawtooth --scale 0.1 --seed 7 --threads 4
            a tenth of a profile, from another seed, on four threads
        heapbench explain web-server
            whose behaviour a profile models, and what it asks for
        heapbench holes
            what a search costs among 10 to 1,000,000 holes, first fit beside a plain list
        heapbench compare-heaps
            what a pair costs in first fit, and in other heaps over a range of memory
        heapbench paging
            what page tables cost in instructions, and what large pages bring
        heapbench gate
            whether anything got slower, fatter or more fragmented than its baseline
        heapbench check --policy firstfit
            whether a policy keeps its promises, by random requests beside a model
        heapbench compare
            libheaplab.so beside glibc, jemalloc, mimalloc, tcmalloc, tbbmalloc and scudo
        heapbench top
            the heaps of all running processes on libheaplab.so

      Profiles and traces are found in Benchmarks, from the current folder or the executable upward, or where \
      HEAPBENCH_HOME says. Bad input ends with one line and exit status 2. Ctrl-C ends with the figures so far and \
      exit status 130.
      """,
    version: "heapbench \(HEAPLAB_VERSION)",
    subcommands: [
      AllCommand.self, RunCommand.self, ListCommand.self, ExplainCommand.self, HolesCommand.self, PagingCommand.self,
      CompareCommand.self, LatencyCommand.self, CompareHeapsCommand.self, GateCommand.self, RecordCommand.self,
      ReplayCommand.self, ConvertCommand.self, TopologyCommand.self, TopCommand.self, HeapCommand.self,
      ProfileCommand.self, ExporterCommand.self, FleetCommand.self,
      CheckCommand.self, CheckOneCommand.self, PagingOperationCommand.self, FramePairsCommand.self,
      HotPathCommand.self, HeapPairsCommand.self, ReadingTrialCommand.self, ManualCommand.self,
    ],
    defaultSubcommand: AllCommand.self)

  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    // Before anything starts a thread: a measuring process must have only the threads of the program that it replays.
    if arguments.first == MeasurementProcess.subcommand, arguments.count == 2 {
      Ending.exit(after: { try StandardOutput.line(try MeasurementProcess.answer(to: arguments[1])) })
    }
    // A reader that stops early, as `head` does, must not kill this process in the middle of writing a file.
    signal(SIGPIPE, SIG_IGN)
    Ending.exit(after: {
      try Ending.greetDebugBuild(arguments)
      var command = try parse(arguments)
      try command.run()
    })
  }

  /// The command that the arguments name. An unknown name is an error with a suggestion.
  private static func parse(_ arguments: [String]) throws -> any ParsableCommand {
    let all = configuration.subcommands.map { $0._commandName }
    if let first = arguments.first, !first.hasPrefix("-"), first != "help", !all.contains(first) {
      throw UserError(refusal(of: first))
    }
    return try parseAsRoot(arguments.first == "record" ? RecordCommand.completed(arguments) : arguments)
  }

  /// Why a first argument is no command, and what was probably meant: a file of workloads gets the way to run it.
  private static func refusal(of name: String) -> String {
    for kind in WorkloadSource.Kind.allCases where name.hasSuffix("." + kind.fileExtension) {
      return "'\(name)' is no command; to replay a \(kind.rawValue): heapbench run --\(kind.rawValue) \(name)"
    }
    let names = configuration.subcommands.filter { $0.configuration.shouldDisplay }.map { $0._commandName } + ["help"]
    return "no command is called '\(name)'\(Names.remedy(for: name, among: names))"
  }
}
