public import ArgumentParser
import Foundation
public import HeapBenchKit

extension HeapProfile.Order: ExpressibleByArgument {}

/// Shows which call sites of a running process hold memory, by samples.
struct ProfileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "profile",
    abstract: "Shows which call sites of a running process hold memory, allocate, and pin free memory.",
    discussion: """
      The process must take samples: it was started with HEAPLAB_SAMPLE=512K, or --sample let it begin. Each figure is \
      an estimate with a 95 % interval. 'pins free' is the free memory that cannot go back to the system because of the \
      site's blocks: the first site of --sort pinned is whom to ask about fragmentation. Reading, and switching samples \
      on and off, take the right to trace the process. docs/telemetry.md says more.

      EXAMPLES
        heapbench profile $(pidof redis-server)
        heapbench profile $(pidof redis-server) --sample 512K
        heapbench profile $(pidof redis-server) --sort pinned --json -
        heapbench profile 4711 --pprof heap.prof && google-pprof --text ./server heap.prof
      """)

  @Argument(help: ArgumentHelp("The number of the process.", valueName: "pid")) var pid: String

  @Option(name: .long, help: ArgumentHelp("What the largest of comes first.", valueName: "column"))
  var sort = HeapProfile.Order.live

  @Option(
    name: .long, parsing: .unconditional, help: ArgumentHelp("How many sites to show, 1…10000.", valueName: "number"))
  var sites = 20

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Let the process take a sample every so many bytes on average, from now on; 0 ends it. Nothing is shown.",
      valueName: "bytes"))
  var sample: String?

  @Option(name: .long, help: ArgumentHelp("Write a profile for google-pprof and jeprof.", valueName: "file"))
  var pprof: String?

  @OptionGroup var figures: JSONOptions

  func validate() throws {
    guard (1...10000).contains(sites) else { throw UserError("--sites must be 1…10000, found \(sites)") }
    if sample != nil, pprof != nil || figures.json != nil {
      throw UserError("--sample shows nothing; read the samples later, without it")
    }
  }

  func run() throws {
    let results = try Results(json: figures.json)
    if let pprof { try ResultFile.checkWritable(pprof, option: "--pprof") }
    guard let process = Int32(pid), process > 0 else {
      throw UserError("'\(pid)' is no number of a process; 'heapbench top' lists them")
    }
    if let sample { return try begin(sample, in: process, results) }
    let profile = try HeapProfile(process)
    try results.show(profile.text(by: sort, countMax: sites, style: .standardOutput))
    try results.write(json: try profile.json(by: sort))
    if let pprof {
      try ResultFile.write(Data(profile.pprof.utf8), to: pprof)
      try results.show("The profile for google-pprof: \(pprof)\n")
    }
  }

  /// Switches samples on or off.
  private func begin(_ text: String, in process: Int32, _ results: Results) throws {
    guard let mean = ByteCount(argument: text)?.byteCount, mean <= HeapReader.meanMaximum else {
      throw UserError("--sample must be a number of bytes up to 64G, as 512K, or 0, found '\(text)'")
    }
    try HeapReader(process: process).sample(every: mean)
    try results.show(
      mean == 0
        ? "process \(process) takes no more samples\n" : "process \(process) takes a sample every \(ByteCount(mean))\n")
  }
}
