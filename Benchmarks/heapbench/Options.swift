import ArgumentParser
import Foundation
import HeapBenchKit

/// Where figures and pictures go.
struct OutputOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("The folder for pictures and files.", valueName: "folder"))
  var output: String?

  @Option(name: .long, help: ArgumentHelp("Write all figures as JSON.", valueName: "file"))
  var json: String?

  @Option(name: .long, help: ArgumentHelp("Write a line of figures for each workload and policy.", valueName: "file"))
  var csv: String?
}

/// How to measure.
struct MeasurementOptions: ParsableArguments {
  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp("What a profile's random choices start from.", valueName: "number"))
  var seed: UInt64 = 1

  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp(
      "A factor to the requests and live bytes of profiles; below 1, traces are cut.", valueName: "factor"))
  var scale: Double = 1

  func validate() throws {
    let scales = ProfileGenerator.scales
    guard scales.contains(scale) else {
      throw UserError("--scale must be \(scales.lowerBound)…\(Int(scales.upperBound)), found \(scale)")
    }
  }
}

/// How often to measure. One option of the whole program: a command's own of this name would never see its value,
/// which the program's parser takes first.
struct RoundOptions: ParsableArguments {
  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp(
      "How often timed passes are repeated; medians are reported (default: 3, of compare 7).", valueName: "number"))
  var rounds: Int?

  func validate() throws {
    if let rounds, !(1...1000).contains(rounds) { throw UserError("--rounds must be 1…1000, found \(rounds)") }
  }
}

/// Names that a person types, and what they mean.
enum Names {
  /// `; did you mean 'NAME'?`, or nothing when no name is near.
  static func suggestion(for name: String, among names: [String]) -> String {
    Spelling.suggestion(for: name, among: names)
  }

  /// The policies of these names, each once, in their order.
  static func policies(_ names: [String]) throws -> [Policy] {
    var policies: [Policy] = []
    for name in names where !policies.contains(where: { $0.name == name }) {
      guard let policy = PolicyCatalog.policy(named: name) else {
        let known = PolicyCatalog.all.map(\.name)
        let suggestion = suggestion(for: name, among: known)
        let rest = suggestion.isEmpty ? "; there are \(known.joined(separator: ", "))" : suggestion
        throw UserError("no policy is called '\(name)'\(rest)")
      }
      policies.append(policy)
    }
    return policies
  }
}
