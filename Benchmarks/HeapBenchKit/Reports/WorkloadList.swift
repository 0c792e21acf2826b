public import Foundation

/// The output of `heapbench list`: what a run can be made of.
public struct WorkloadList: Sendable {
  private let folder: String
  private let workloads: [(source: WorkloadSource, summary: String)]

  /// The list of all policies and of a catalog's profiles and traces, whose headers it reads.
  ///
  /// - Throws: ``ProfileError`` or ``TraceFileError``.
  public init(_ catalog: WorkloadCatalog) throws {
    folder = catalog.folder
    workloads = try catalog.sources.map { ($0, try $0.summary()) }
  }

  /// The text. Each line ends with a newline.
  public func text(style: TerminalStyle) -> String {
    let names = PolicyCatalog.all.map(\.name) + workloads.map(\.source.name)
    let width = (names.map(\.count).max() ?? 0) + 3
    var lines = ["POLICIES   --policy NAME"]
    lines += PolicyCatalog.all.map { policy in
      style.entry(
        policy.name, policy.summary + (policy.isInMainJob ? "" : " (only when asked for)"), nameWidth: width)
    }
    for kind in WorkloadSource.Kind.allCases {
      lines += ["", "\(kind.folder.uppercased())   --\(kind.rawValue) NAME, from \(folder)/\(kind.folder)"]
      lines += workloads.filter { $0.source.kind == kind }.map {
        style.entry($0.source.name, $0.summary, nameWidth: width)
      }
    }
    lines += ["", style.paragraph("'heapbench explain NAME' tells more about a profile, a trace or a policy.")]
    return lines.map { $0 + "\n" }.joined()
  }

  /// The list as JSON, keys in alphabetical order.
  public func json() throws -> Data {
    struct File: Encodable {
      struct Policy: Encodable {
        let name: String
        let summary: String
        let isInMainJob: Bool
      }
      struct Workload: Encodable {
        let name: String
        let summary: String
        let file: String
      }
      let policies: [Policy]
      let profiles: [Workload]
      let traces: [Workload]
    }
    func workloads(_ kind: WorkloadSource.Kind) -> [File.Workload] {
      self.workloads.filter { $0.source.kind == kind }.map {
        File.Workload(name: $0.source.name, summary: $0.summary, file: $0.source.path)
      }
    }
    return try File(
      policies: PolicyCatalog.all.map {
        File.Policy(name: $0.name, summary: $0.summary, isInMainJob: $0.isInMainJob)
      }, profiles: workloads(.profile), traces: workloads(.trace)
    ).json()
  }
}
