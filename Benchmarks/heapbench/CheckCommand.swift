import ArgumentParser
import Foundation
import HeapBenchKit

/// Checks policies against the shadow heap.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Makes random requests of a policy and checks each answer against a model.",
    discussion: """
      Every block must lie in the heap's memory, be aligned, overlap no other, keep its content, and be in the policy's \
      own walk and figures. Seeds take turns between many small blocks and few large ones. A mistake ends the command \
      with status 1, and with the command that shows it again with few requests, also when the policy traps or never \
      returns.

      EXAMPLES
        heapbench check
        heapbench check --policy firstfit --rounds 1000
        heapbench check --policy mine --seed 7 --requests 150
      """)

  @Option(name: .long, help: ArgumentHelp("Only this policy; can be repeated.", valueName: "policy"))
  var policy: [String] = []

  @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("Only this seed.", valueName: "number"))
  var seed: UInt64?

  @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("The requests of a seed.", valueName: "number"))
  var requests = 10_000

  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp("How many seeds are tried, from 1 on.", valueName: "number"))
  var rounds = 20

  func run() throws {
    guard (1...100_000_000).contains(requests) else {
      throw UserError("--requests must be 1…100000000, found \(requests)")
    }
    guard (1...1_000_000).contains(rounds) else { throw UserError("--rounds must be 1…1000000, found \(rounds)") }
    let policies = try policy.isEmpty ? PolicyCatalog.all.filter(\.receivesMemory) : Names.policies(policy)
    if let wrong = policies.first(where: { !$0.receivesMemory }) {
      throw UserError("policy '\(wrong.name)' has memory of its own, where no model can follow it")
    }
    let seeds = seed.map { [$0] } ?? (1...UInt64(rounds)).map { $0 }
    for policy in policies {
      let check = PolicyCheck(policy) { try CheckOneCommand.finding(of: policy.name, $0) }
      for seed in seeds {
        do {
          try check.run(PolicyCheck.Requests(seed: seed, count: requests))
        } catch let mistake as PolicyCheck.Mistake {
          Ending.complain("\(mistake)")
          throw ExitCode(Ending.regression)
        }
      }
      try StandardOutput.line(
        "\(policy.name): \(seeds.count) \(seeds.count == 1 ? "seed" : "seeds") of \(requests) requests, no mistake")
    }
  }
}

/// One run of a check, in this process: ``CheckCommand`` starts it, because a policy may trap.
struct CheckOneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "check-one", shouldDisplay: false)

  @Argument var policy: String
  @Argument var seed: UInt64
  @Argument var requests: Int

  /// How long a run may take.
  private static let secondsMax = 120.0
  /// What stands before a finding in the output.
  private static let mark = "finding: "

  func run() throws {
    guard let policy = try Names.policies([policy]).first else { return }
    let requests = PolicyCheck.Requests(seed: seed, count: requests)
    if let finding = try PolicyCheck.finding(of: policy, requests) { try StandardOutput.line(Self.mark + finding) }
  }

  /// The finding of a run in a new process.
  static func finding(of policy: String, _ requests: PolicyCheck.Requests) throws -> String? {
    let process = Process()
    let (output, errors) = (Pipe(), Pipe())
    process.executableURL = URL(filePath: DriverProcess.executable)
    process.arguments = ["check-one", policy, "\(requests.seed)", "\(requests.count)"]
    process.standardOutput = output
    process.standardError = errors
    process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
    try process.run()
    let limit = DispatchWorkItem { process.terminate() }
    DispatchQueue.global().asyncAfter(deadline: .now() + secondsMax, execute: limit)
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    let complaint = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    limit.cancel()
    let lines = text.split(separator: "\n") + complaint.split(separator: "\n")
    if let line = lines.first(where: { $0.hasPrefix(mark) }) { return String(line.dropFirst(mark.count)) }
    switch (process.terminationReason, process.terminationStatus) {
    case (.exit, 0): return nil
    case (.uncaughtSignal, SIGTERM): return "took more than \(Int(secondsMax)) s"
    case (.uncaughtSignal, let signal): return "ended by signal \(signal)\(lines.last.map { ": \($0)" } ?? "")"
    case (_, let status): throw UserError(lines.last.map(String.init) ?? "the check ended with status \(status)")
    }
  }
}
