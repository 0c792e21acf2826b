import ArgumentParser
import HeapBenchKit

/// The options for figures in files.
struct FigureOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("Write all figures as JSON; '-' is standard output.", valueName: "file"))
  var json: String?

  @Option(
    name: .long, help: ArgumentHelp("Write the figures of each row as CSV; '-' is standard output.", valueName: "file"))
  var csv: String?
}

/// The option for figures in a file of a command that has no table worth a CSV file.
struct JSONOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("Write all figures as JSON; '-' is standard output.", valueName: "file"))
  var json: String?
}

/// The options for where figures and pictures go.
struct OutputOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("The folder for pictures.", valueName: "folder"))
  var output: String?

  @OptionGroup var figures: FigureOptions

  var json: String? { figures.json }
  var csv: String? { figures.csv }
}

/// Options for how to measure.
struct MeasurementOptions: ParsableArguments {
  @Option(
    name: .customLong("seed"), parsing: .unconditional,
    help: ArgumentHelp("The seed of a profile's random choices. (default: 1)", valueName: "number"))
  var givenSeed: UInt64?

  @Option(
    name: .customLong("scale"), parsing: .unconditional,
    help: ArgumentHelp(
      "A factor for the requests and live bytes of profiles; below 1 it also cuts traces. (default: 1)",
      valueName: "factor"))
  var givenScale: Double?

  var seed: UInt64 { givenSeed ?? 1 }
  var scale: Double { givenScale ?? 1 }

  /// Throws ``UserError`` if a seed was given for a trace, which has no random choices.
  func refuseSeedForTraces() throws {
    if givenSeed != nil { throw UserError("--seed applies to profiles; a trace is replayed as it was recorded") }
  }

  func validate() throws {
    let scales = ProfileGenerator.scales
    guard scales.contains(scale) else {
      throw UserError("--scale must be \(scales.lowerBound)…\(Int(scales.upperBound)), found \(scale)")
    }
  }
}

/// The option for how often to measure.
struct RoundOptions: ParsableArguments {
  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp("How many times to repeat timed passes; medians are reported.", valueName: "number"))
  var rounds = 3

  func validate() throws { try Self.check(rounds) }

  /// Throws ``UserError`` for a number of rounds that is out of range.
  static func check(_ rounds: Int) throws {
    if !(1...1000).contains(rounds) { throw UserError("--rounds must be 1…1000, found \(rounds)") }
  }
}

/// Looks up names that a person typed.
enum Names {
  /// The policies with these names, each once, in this order. Throws ``UserError`` for an unknown name.
  static func policies(_ names: [String]) throws -> [Policy] {
    var policies: [Policy] = []
    for name in names where !policies.contains(where: { $0.name == name }) {
      guard let policy = PolicyCatalog.policy(named: name) else {
        throw UserError("no policy is called '\(name)'\(remedy(for: name, among: PolicyCatalog.all.map(\.name)))")
      }
      policies.append(policy)
    }
    return policies
  }

  /// All allocators that `compare` finds, with a line for each that is not installed; or only those with these names or
  /// of these arguments NAME=PATH.so. Throws ``UserError`` for an unknown name.
  static func allocators(
    _ arguments: [String], library: String?
  ) throws -> (allocators: [ComparedAllocator], missing: [String]) {
    let additions = arguments.filter { $0.contains("=") }
    let (all, missing) = try ComparedAllocator.choose(library: library, additions: additions)
    guard !arguments.isEmpty else { return (all, missing) }
    let chosen = try arguments.map { argument in
      let name = String(argument.prefix { $0 != "=" })
      guard let found = all.first(where: { $0.name == name }) else {
        throw UserError("no allocator is called '\(name)'\(remedy(for: name, among: all.map(\.name)))")
      }
      return found
    }
    return (chosen, [])
  }

  /// `; did you mean 'NAME'?`, or all names when none is close.
  static func remedy(for wrong: String, among names: [String]) -> String {
    let suggestion = Spelling.suggestion(for: wrong, among: names)
    return suggestion.isEmpty ? "; there are \(names.joined(separator: ", "))" : suggestion
  }
}
