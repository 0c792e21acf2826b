import Foundation

/// What is compared, and how often.
public struct ComparisonPlan: Sendable {
  /// The allocators, glibc first.
  public let allocators: [ComparedAllocator]
  /// The work for each row of the tables.
  let tasks: [Task]
  /// Lines about what is missing.
  public let notes: [String]

  /// Whether the plan holds every row that can be compared.
  let isWhole: Bool

  /// The size of the footprint patterns, in percent of the full one.
  let patternPercent: Int

  /// A row of the tables.
  struct Task: Sendable {
    let name: String
    let kind: ComparedItem.Kind
    let roundCount: Int
    let command: DriverCommand
    /// Whether the task is run only where its name is given.
    var mustBeNamed = false
    /// Prepares a folder of the task's own before the first run.
    var prepare: (@Sendable () throws -> Void)?
  }

  /// How much is measured.
  public struct Size: Codable, Hashable, Sendable {
    /// The rounds of speed workloads. Footprint patterns and programs need fewer, since their figures repeat well.
    public var roundCount: Int
    /// The duration of a speed workload in one round.
    public var milliseconds: Int
    /// The size of the footprint patterns, in percent of the full one.
    public var percent: Int
    /// The size of the freed heaps that are left out, as the workloads' names end.
    public var leftOutHeap: String

    /// The size of the whole comparison.
    public static let full = Size(roundCount: 7, milliseconds: 60, percent: 100, leftOutHeap: "512MiB")
    /// A size that shows large differences within two minutes.
    public static let quick = Size(roundCount: 3, milliseconds: 20, percent: 25, leftOutHeap: "1.5GiB")

    /// The rounds of programs and of long workloads.
    var programRoundCount: Int { max(1, min(3, roundCount / 2)) }
    /// The duration of a long workload in one round.
    var longMilliseconds: Int { milliseconds * 3 }
    var startRoundCount: Int { roundCount * 3 }
  }

  /// A plan of all rows that can be compared on this machine, or of those named in `only`.
  ///
  /// - Parameter folder: The folder for the programs' input.
  /// - Throws: ``ComparisonError/unknownWorkload(_:suggestion:)``.
  public init(
    allocators: [ComparedAllocator], driver: DriverProcess, size: Size, only: [String], folder: String
  ) async throws {
    self.allocators = allocators
    var notes: [String] = []
    let workloads = try await driver.workloads()
    var tasks = workloads.filter { $0.kind == .speed }.map { workload in
      let isLong = Self.isLong(workload.name)
      let milliseconds = isLong ? size.longMilliseconds : size.milliseconds
      return Task(
        name: workload.name, kind: .speed, roundCount: isLong ? size.programRoundCount : size.roundCount,
        command: DriverCommand(arguments: ["run", workload.name, "--milliseconds", "\(milliseconds)"]))
    }
    let traces = try WorkloadCatalog.find().sources.filter { $0.kind == .trace }.map { ($0.name, $0.path) }
    tasks += try (traces + Self.traceFiles(among: only)).map { name, path in
      guard try TraceFile(path: path).version > 1 else {
        return Task(
          name: name, kind: .speed, roundCount: size.roundCount, command: DriverCommand(arguments: ["run", path]))
      }
      // The driver reads version 1.
      let copy = "\(folder)/\(URL(filePath: path).lastPathComponent)"
      return Task(
        name: name, kind: .speed, roundCount: size.roundCount, command: DriverCommand(arguments: ["run", copy]),
        prepare: {
          try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
          try TraceFile(path: path).writeVersion1(to: copy)
        })
    }
    tasks += workloads.filter { $0.kind == .footprint }.map { workload in
      Task(
        name: workload.name, kind: .footprint, roundCount: 1,
        command: DriverCommand(arguments: ["run", workload.name, "--percent", "\(size.percent)"]))
    }
    // All but the largest heap take a second or less at full size.
    tasks += workloads.filter { [.idle, .stall].contains($0.kind) }.map { workload in
      Task(
        name: workload.name, kind: workload.kind, roundCount: 1,
        command: DriverCommand(arguments: ["run", workload.name]),
        mustBeNamed: workload.kind == .stall && workload.name.hasSuffix("-\(size.leftOutHeap)"))
    }
    tasks += workloads.filter { $0.kind == .latency }.map { workload in
      Task(
        name: workload.name, kind: .latency, roundCount: size.programRoundCount,
        command: DriverCommand(arguments: ["run", workload.name, "--percent", "\(size.percent)"]))
    }
    tasks += workloads.filter { $0.kind == .process }.map { workload in
      Task(
        name: workload.name, kind: .process, roundCount: size.roundCount,
        command: DriverCommand(arguments: ["run", workload.name]))
    }
    for (number, program) in ComparedProgram.all.enumerated() {
      guard let path = program.path() else {
        notes.append("\(program.command) is not installed and not run")
        continue
      }
      let own = "\(folder)/\(number)"
      tasks.append(
        Task(
          name: program.name, kind: .program, roundCount: size.programRoundCount,
          command: program.command(path: path, folder: own),
          prepare: {
            try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
            try program.prepare(in: own)
          }))
    }
    tasks.append(
      Task(
        name: "start of true", kind: .start, roundCount: size.startRoundCount,
        command: DriverCommand(arguments: ["time", "--repeat", "20", "/bin/true"], isProgram: true)))
    self.tasks = try Self.chosen(only, of: tasks)
    self.notes = only.isEmpty ? notes : []
    isWhole = only.isEmpty
    patternPercent = size.percent
  }

  /// The names of all rows.
  public var names: [(name: String, kind: ComparedItem.Kind)] { tasks.map { ($0.name, $0.kind) } }

  /// Whether a speed workload needs a longer time and has fewer rounds: its operations are long, or many threads must
  /// run beside each other for longer than the scheduler lets one of them run.
  private static func isLong(_ name: String) -> Bool {
    name.hasPrefix("buffer-") || name.hasPrefix("replace-") || name.hasSuffix("-8")
  }

  /// The traces that are named by their files. Their headers are read, so that a mistake shows before anything runs.
  private static func traceFiles(among names: [String]) throws -> [(name: String, path: String)] {
    try names.filter { $0.hasSuffix(".\(TraceFile.fileExtension)") }.map { name in
      _ = try TraceFile(path: name)
      return (name, URL(filePath: name).standardizedFileURL.path)
    }
  }

  /// The tasks with these names, in the tables' order; without names all that need not be named.
  private static func chosen(_ names: [String], of tasks: [Task]) throws(ComparisonError) -> [Task] {
    for name in names where !tasks.contains(where: { $0.name == name }) {
      throw .unknownWorkload(name, suggestion: Spelling.suggestion(for: name, among: tasks.map(\.name)))
    }
    return tasks.filter { names.isEmpty ? !$0.mustBeNamed : names.contains($0.name) }
  }
}
