import ArgumentParser
import Foundation
import HeapBenchKit

/// Runs a program and records its calls of the malloc family.
struct RecordCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record",
    abstract: "Runs a program and records its calls of malloc and free as a trace.",
    discussion: """
      Any dynamically linked program, with whatever malloc it has. Its input, output and exit status are its own. A \
      child of fork, and a program that it starts, gets a trace of its own, named after its process. While the program \
      runs, raw records of 16 bytes a call go to a folder beside the output; if it is killed, they are there up to the \
      last call. If the disk is full, the program goes on without being recorded.

      EXAMPLES
        heapbench record -o app.hltrace -- ./my-server --its-arguments
        heapbench record -o json.hltrace -- python3 -c 'import json; print(json.dumps([1]))'
        heapbench record --stacks -o app.hltrace -- ./my-server
            with the call stack of each allocation; --stacks=8 keeps the innermost eight functions
        heapbench record --sample 512K -o app.hltrace -- ./my-server
            samples, for programs that run for days
        heapbench replay app.hltrace
            what policies and allocators do with the trace
      """)

  @Option(name: [.short, .long], help: ArgumentHelp("The trace to write.", valueName: "file"))
  var output = "recorded.hltrace"

  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp(
      "Record the call stack of each allocation, of at most so many functions, by libunwind; --stacks alone means 32.",
      valueName: "depth"))
  var stacks: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Record samples: one allocation in so many bytes on average, with the calls that it stands for.",
      valueName: "bytes"))
  var sample: String?

  @Flag(name: .long, help: "Leave out what tells about the program: its name, its command line, its call stacks.")
  var anonymous = false

  @Argument(parsing: .postTerminator, help: ArgumentHelp("The program and its arguments.", valueName: "program"))
  var words: [String] = []

  func run() throws {
    guard !words.isEmpty else {
      throw UserError("no program to record; write heapbench record -o \(output) -- PROGRAM ARGUMENTS")
    }
    try ResultFile.checkWritable(output, option: "-o")
    let options = try options()
    let program = try RecordedProgram(words, output: output, options)
    defer { try? FileManager.default.removeItem(atPath: program.folder) }
    let ending = try program.run()
    let written = try RecordedTraces(folder: program.folder, output: output).write(
      ending, RecordedTraces.Detail(options, isAnonymous: anonymous), progress: ProgressLine())
    if written.isEmpty {
      Ending.complain(
        "nothing was recorded: '\(words[0])' called no malloc, is linked statically, has other privileges than this "
          + "user, or clears LD_PRELOAD")
    }
    for trace in written {
      Ending.complain("\(trace.path): \(trace.summary)")
      if let remark = trace.remark { Ending.complain(remark) }
    }
    throw ExitCode(ending.status)
  }

  private func options() throws -> RecordingOptions {
    var options = RecordingOptions()
    if let stacks {
      guard RecordingOptions.frameCounts.contains(stacks) else {
        throw UserError("--stacks must be 1…64, found \(stacks)")
      }
      guard !anonymous else { throw UserError("--anonymous leaves out call stacks; give it or --stacks") }
      options.frameCountMax = stacks
    }
    if let sample {
      guard let count = ByteCount(argument: sample), let byteCount = Int(exactly: count.byteCount),
        RecordingOptions.sampleByteCounts.contains(byteCount)
      else { throw UserError("--sample must be a number of bytes up to 1024G, as 512K, found '\(sample)'") }
      options.sampleByteCount = byteCount
    }
    return options
  }

  /// The arguments with a depth where `--stacks` has none.
  static func completed(_ arguments: [String]) -> [String] {
    let end = arguments.firstIndex(of: "--") ?? arguments.endIndex
    return arguments.indices.map { index in
      index < end && arguments[index] == "--stacks"
        ? "--stacks=\(RecordingOptions.usualFrameCount)" : arguments[index]
    }
  }
}
