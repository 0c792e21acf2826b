import ArgumentParser
import Foundation
import HeapBenchKit

/// Options for where figures and pictures go.
struct OutputOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("The folder for pictures and files.", valueName: "folder"))
  var output: String?

  @Option(name: .long, help: ArgumentHelp("Write all figures as JSON.", valueName: "file"))
  var json: String?

  @Option(name: .long, help: ArgumentHelp("Write one CSV line for each workload and policy.", valueName: "file"))
  var csv: String?
}

/// Options for how to measure.
struct MeasurementOptions: ParsableArguments {
  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp("The seed of a profile's random choices.", valueName: "number"))
  var seed: UInt64 = 1

  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp(
      "A factor for the requests and live bytes of profiles; below 1 it also cuts traces.", valueName: "factor"))
  var scale: Double = 1

  func validate() throws {
    let scales = ProfileGenerator.scales
    guard scales.contains(scale) else {
      throw UserError("--scale must be \(scales.lowerBound)…\(Int(scales.upperBound)), found \(scale)")
    }
  }
}

/// The option for how often to measure. The whole program has one: the parser gives its value to the program first, and
/// a command's own option of the same name would never see it.
struct RoundOptions: ParsableArguments {
  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp(
      "How many times to repeat timed passes; medians are reported (default: 3; 7 for compare).", valueName: "number"))
  var rounds: Int?

  func validate() throws {
    if let rounds, !(1...1000).contains(rounds) { throw UserError("--rounds must be 1…1000, found \(rounds)") }
  }
}

/// Looks up names that a person typed.
enum Names {
  /// `; did you mean 'NAME'?`, or an empty text when no name is close.
  static func suggestion(for name: String, among names: [String]) -> String {
    Spelling.suggestion(for: name, among: names)
  }

  /// The policies with these names, each once, in this order. Throws ``UserError`` for an unknown name.
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
