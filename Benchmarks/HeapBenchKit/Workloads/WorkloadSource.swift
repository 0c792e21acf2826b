import Foundation

/// The file that a workload comes from: a profile or a trace.
public struct WorkloadSource: Hashable, Sendable {
  /// What the file holds.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case profile
    case trace

    /// The folder for such files in heaplab's `Benchmarks`.
    public var folder: String {
      switch self {
      case .profile: "Profiles"
      case .trace: "Traces"
      }
    }

    /// The extension of such files.
    public var fileExtension: String {
      switch self {
      case .profile: Profile.fileExtension
      case .trace: TraceFile.fileExtension
      }
    }
  }

  /// What the file holds.
  public let kind: Kind

  /// The file's path.
  public let path: String

  /// The file's name, without folder and extension.
  public var name: String { URL(filePath: path).deletingPathExtension().lastPathComponent }

  /// The file at `path`, which need not exist.
  public init(kind: Kind, path: String) {
    self.kind = kind
    self.path = path
  }

  /// One sentence on whose behaviour it is. Reads the file.
  ///
  /// - Throws: ``ProfileError`` or ``TraceFileError``.
  public func summary() throws -> String {
    switch kind {
    case .profile: try Profile(path: path).summary
    case .trace: try TraceFile(path: path).summary
    }
  }

  /// The workload.
  ///
  /// - Parameters:
  ///   - seed: The seed of a profile's random choices; it does not affect a trace.
  ///   - scale: A factor for a profile's requests and live bytes, within `ProfileGenerator.scales`. A scale below 1
  ///     takes the first steps of a trace, in that share; a trace cannot become longer.
  /// - Throws: ``ProfileError`` or ``TraceFileError``.
  public func workload(seed: UInt64, scale: Double = 1) throws -> Workload {
    switch kind {
    case .profile:
      return ProfileGenerator.workload(of: try Profile(path: path), seed: seed, scale: scale)
    case .trace:
      let workload = try TraceFile(path: path).workload()
      return scale < 1 ? workload.prefix(Int(Double(workload.steps.count) * scale)) : workload
    }
  }
}
