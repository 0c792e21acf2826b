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
        heapbench replay app.hltrace
            what policies and allocators do with the trace
      """)

  @Option(name: [.short, .long], help: ArgumentHelp("The trace to write.", valueName: "file"))
  var output = "recorded.hltrace"

  @Flag(name: .long, help: "Leave out what tells about the program: its name, its command line, its call stacks.")
  var anonymous = false

  @Argument(parsing: .postTerminator, help: ArgumentHelp("The program and its arguments.", valueName: "program"))
  var words: [String] = []

  func run() throws {
    guard !words.isEmpty else {
      throw UserError("no program to record; write heapbench record -o \(output) -- PROGRAM ARGUMENTS")
    }
    try ResultFile.checkWritable(output, option: "-o")
    let program = try RecordedProgram(words, output: output)
    defer { try? FileManager.default.removeItem(atPath: program.folder) }
    let ending = try program.run()
    let written = try RecordedTraces(folder: program.folder, output: output).write(
      ending, RecordedTraces.Detail(isAnonymous: anonymous), progress: ProgressLine())
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
}
