import Foundation
import Subprocess
import SystemPackage

/// A command for the driver.
struct DriverCommand: Sendable {
  /// The driver's arguments, without the allocator.
  let arguments: [String]
  /// Additions to the environment.
  var environment: [String: String] = [:]
  /// Whether the driver starts a program. The allocator is then preloaded into the program and not into the driver.
  var isProgram = false
}

/// Starts `heapbench-driver` under an allocator.
public struct DriverProcess: Sendable {
  /// The driver's path.
  let path: String
  /// How long a run may take.
  var timeLimit: Duration = .seconds(180)

  /// The driver at `path`, by default the one beside this executable.
  ///
  /// - Throws: ``ComparisonError/noDriver(path:)``.
  public init(path: String? = nil) throws(ComparisonError) {
    let path = path ?? "\(Self.folder)/heapbench-driver"
    guard FileManager.default.isExecutableFile(atPath: path) else { throw .noDriver(path: path) }
    self.path = path
  }

  /// This executable.
  public static var executable: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
  }

  /// The folder of this executable and of the other products.
  static var folder: String { URL(filePath: executable).deletingLastPathComponent().path }

  /// The built-in workloads, by kind.
  func workloads() async throws -> [(name: String, kind: ComparedItem.Kind)] {
    try await output(of: ["list"], [:]).split(separator: "\n").compactMap { line in
      let words = line.split(separator: "\t").map(String.init)
      guard words.count == 2, let kind = ComparedItem.Kind(rawValue: words[1]) else { return nil }
      return (words[0], kind)
    }
  }

  /// Runs a command under an allocator.
  ///
  /// - Throws: ``MeasurementFailure`` that says how the process ended, or `CancellationError`.
  func run(_ command: DriverCommand, under allocator: ComparedAllocator) async throws -> DriverFigures {
    var arguments = command.arguments
    var environment = command.environment
    // A library that is preloaded into this process must not be measured.
    environment["LD_PRELOAD"] = command.isProgram ? "" : allocator.library ?? ""
    if command.isProgram, let library = allocator.library {
      arguments.insert(contentsOf: ["--preload", library], at: 1)
    }
    let text = try await output(of: arguments, environment)
    guard let figures = try? JSONDecoder().decode(DriverFigures.self, from: Data(text.utf8)) else {
      throw MeasurementFailure("the driver answered '\(text.prefix(80))'")
    }
    return figures
  }

  /// Replays a plan under an allocator: a thread of this process feeds the driver.
  ///
  /// - Throws: As ``run(_:under:)``, also for a trace that is damaged.
  func replay(
    _ plan: ReplayPlan, _ options: TraceReplayOptions, under allocator: ComparedAllocator,
    progress: @escaping @Sendable (Double) -> Void
  ) async throws -> DriverFigures {
    let (reader, writer) = try FileDescriptor.pipe()
    _ = fcntl(writer.rawValue, F_SETFD, FD_CLOEXEC)
    signal(SIGPIPE, SIG_IGN)
    let feeding = Task.detached { () -> MeasurementFailure? in
      var feed = TraceFeed(plan, options, to: writer.rawValue)
      do throws(MeasurementFailure) {
        try feed.run(progress)
        return nil
      } catch {
        return error
      }
    }
    let text: String
    do {
      text = try await finish(
        ["replay"], ["LD_PRELOAD": allocator.library ?? ""],
        input: .fileDescriptor(reader, closeAfterSpawningProcess: true))
    } catch {
      throw await feeding.value ?? error
    }
    if let failure = await feeding.value { throw failure }
    guard let figures = try? JSONDecoder().decode(DriverFigures.self, from: Data(text.utf8)) else {
      throw MeasurementFailure("the driver answered '\(text.prefix(80))'")
    }
    return figures
  }

  func output(of arguments: [String], _ environment: [String: String]) async throws -> String {
    let limit = timeLimit
    return try await withThrowingTaskGroup(of: String?.self) { group in
      group.addTask { try await finish(arguments, environment) }
      group.addTask {
        try await Task.sleep(for: limit)
        return nil
      }
      defer { group.cancelAll() }
      guard let text = try await group.next() ?? nil else {
        throw MeasurementFailure("took more than \(limit.components.seconds) s and was stopped")
      }
      return text
    }
  }

  func finish(_ arguments: [String], _ environment: [String: String]) async throws -> String {
    try await finish(arguments, environment, input: .none)
  }

  private func finish(
    _ arguments: [String], _ environment: [String: String], input: some InputProtocol
  ) async throws -> String {
    var options = PlatformOptions()
    // In a process group of their own, a driver and the program that it started are stopped together.
    options.processGroupID = 0
    options.teardownSequence = [
      .gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: .milliseconds(200))
    ]
    let keys = environment.map { (Environment.Key(stringLiteral: $0.key), Optional($0.value)) }
    let result = try await Subprocess.run(
      .path(FilePath(path)), arguments: Arguments(arguments),
      environment: .inherit.updating(Dictionary(uniqueKeysWithValues: keys)), platformOptions: options,
      input: input, output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
    try Task.checkCancellation()
    let lines = result.standardError.split(separator: "\n").map { String($0).droppingPrefix("heapbench-driver: ") }
    // The loader only warns and goes on without the library; the figures would be those of the C library's allocator.
    if lines.contains(where: { $0.contains("cannot be preloaded") }) {
      throw MeasurementFailure("the loader cannot preload it")
    }
    switch result.terminationStatus {
    case .exited(0): return result.standardOutput
    case .exited(let status): throw MeasurementFailure(lines.last ?? "ended with status \(status)")
    case .signaled(let number):
      let last = lines.last.map { ": \($0)" } ?? ""
      throw MeasurementFailure("ended by signal \(number) (\(Self.name(ofSignal: number)))\(last)")
    }
  }

  private static func name(ofSignal number: Int32) -> String {
    // SAFETY: strsignal returns a C string that stays valid until the next call on this thread.
    unsafe strsignal(number).map { unsafe String(cString: $0) } ?? "unknown"
  }
}
