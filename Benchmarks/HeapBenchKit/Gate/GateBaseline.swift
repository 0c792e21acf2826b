import Foundation

/// The figures that somebody last looked at and accepted, with the machine that they were measured on.
public struct GateBaseline: Hashable, Sendable {
  /// The figures by name.
  public var figures: [String: Double]

  /// The machine and the build of the measurement.
  public var machine: GateMachine

  public init(figures: [String: Double], machine: GateMachine) {
    self.figures = figures
    self.machine = machine
  }

  /// The path of the baseline for this machine's architecture.
  public static func defaultPath(in workloads: WorkloadCatalog) -> String {
    "\(workloads.folder)/Baselines/\(GateMachine.architecture).json"
  }
}

// MARK: - The file

extension GateBaseline {
  /// The file's content. It is sorted, with one figure a line, which keeps the diff of a renewal readable.
  private struct File: Codable {
    var figures: [String: Double]
    var format: Int
    var machine: [String: String]
  }

  private static let format = 1

  /// Reads a baseline.
  ///
  /// - Throws: ``GateObstacle`` when the file is missing, or is not in the format of ``write(to:)``.
  public init(path: String) throws(GateObstacle) {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw GateObstacle(
        "there is no baseline '\(path)'; name one with --baseline, or make it: scripts/update-baselines")
    }
    let file: File
    do {
      file = try JSONDecoder().decode(File.self, from: data)
    } catch {
      throw Self.damaged(path, Self.reason(error))
    }
    guard file.format == Self.format else {
      throw Self.damaged(path, "its format is \(file.format), not \(Self.format)")
    }
    guard !file.figures.isEmpty else { throw Self.damaged(path, "it holds no figures") }
    if let name = file.figures.keys.sorted().first(where: { !(file.figures[$0]?.isFinite ?? false) }) {
      throw Self.damaged(path, "'\(name)' is no number")
    }
    var traits: [GateMachine.Trait: String] = [:]
    for (key, value) in file.machine {
      guard let trait = GateMachine.Trait(rawValue: key), trait != .emulatedProcessor else {
        throw Self.damaged(path, "it knows of a machine's '\(key)', which heapbench does not")
      }
      traits[trait] = value
    }
    figures = file.figures
    machine = GateMachine(traits: traits)
  }

  private static func damaged(_ path: String, _ reason: String) -> GateObstacle {
    GateObstacle("baseline '\(path)' is damaged: \(reason); restore it, or renew it: scripts/update-baselines")
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, _): "it has no '\(key.stringValue)'"
    case DecodingError.typeMismatch(_, let context) where !context.codingPath.isEmpty,
      DecodingError.valueNotFound(_, let context) where !context.codingPath.isEmpty:
      "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' is not what it should be"
    default: "it is not JSON"
    }
  }

  /// Writes the baseline atomically.
  public func write(to path: String) throws {
    let keysAndValues = machine.traits.map { ($0.key.rawValue, $0.value) }
    let file = File(figures: figures, format: Self.format, machine: Dictionary(uniqueKeysWithValues: keysAndValues))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try (encoder.encode(file) + Data("\n".utf8)).write(to: URL(filePath: path), options: .atomic)
  }
}

// MARK: - Renewal

extension GateMeasurement {
  /// The figures as a baseline.
  public var asBaseline: GateBaseline { GateBaseline(figures: figures, machine: machine) }

  /// The baseline with the figures that `job` measured in place of the old ones.
  ///
  /// - Parameter isWhole: Whether the job measured all figures; then no old figure is kept.
  /// - Throws: ``GateObstacle`` when a figure is missing, or when kept figures would be another machine's.
  public func renewing(
    _ baseline: GateBaseline?, of job: GateJob, isWhole: Bool
  ) throws(GateObstacle) -> GateBaseline {
    for figure in job.figures {
      guard case .failure(let obstacle) = outcomes[figure.name] else { continue }
      throw GateObstacle("\(obstacle); the baseline stays as it was, as '\(figure.name)' is missing")
    }
    guard !isWhole, let baseline else { return asBaseline }
    guard baseline.machine == machine else {
      throw GateObstacle("the baseline is another machine's or build's: renew all of it, without --only")
    }
    let kept = baseline.figures.filter { !job.chooses($0.key) }
    return GateBaseline(figures: kept.merging(asBaseline.figures) { $1 }, machine: machine)
  }
}
