public import Foundation

/// What `heapbench topology` shows.
public struct TopologyReport: Encodable, Sendable {
  let machine: MachineTopology
  let denials: [Denial]

  /// This machine and this process, now.
  public init() { self.init(files: MachineFiles()) }

  init(files: MachineFiles) {
    machine = MachineTopology(files: files)
    denials = Denial.all(machine, files)
  }

  /// The report as JSON.
  public func json() throws -> Data { try (self as any Encodable).json() }

  /// The report as tables and lines.
  public func text(style: TerminalStyle) -> String {
    var text = nodeTable(style) + "\n"
    for (name, value) in facts { text += "\(name.rightPadded(to: 18)) \(value)\n" }
    text += "\n"
    if denials.isEmpty { return text + style.paragraph("Nothing that allocators ask for is denied here.") + "\n" }
    text += style.text("Denied here, and how to allow it", .strong) + "\n"
    for denial in denials { text += style.paragraph("- \(denial.what): \(denial.remedy)") + "\n" }
    return text
  }

  private func nodeTable(_ style: TerminalStyle) -> String {
    let numbers = machine.nodes.map { "to \($0.number)" }
    let rows = machine.nodes.map { node -> ComparisonTable.Row in
      let processors = node.processors.isEmpty ? "none" : MachineFiles.list(node.processors)
      let cells =
        [processors, "\(ByteCount(node.memoryByteCount))", "\(ByteCount(node.freeByteCount))"]
        + machine.nodes.indices.map { node.distances.indices.contains($0) ? "\(node.distances[$0])" : "–" }
      let kind =
        node.processors.isEmpty ? "memory only" : node.memoryByteCount == 0 ? "processors only" : ""
      return ComparisonTable.Row(
        name: "node \(node.number)", cells: cells.map { ComparisonTable.Cell(text: $0) }, tail: kind)
    }
    return ComparisonTable(
      title: "Nodes: processors, memory, free memory, and relative distances (10 is a node's own memory).",
      columns: ["processors", "memory", "free"] + numbers, rows: rows
    ).text(style: style)
  }

  private var facts: [(name: String, value: String)] {
    func limit(_ byteCount: UInt64?) -> String { byteCount.map { "\(ByteCount($0))" } ?? "all" }
    var facts = [
      (
        "memory",
        "\(ByteCount(machine.memoryByteCount)), \(ByteCount(machine.availableByteCount)) available, "
          + "\(ByteCount(machine.swapByteCount)) of swap"
      ),
      ("transparent pages", machine.transparentHugePages ?? "none"),
    ]
    facts += machine.hugePages.map {
      ("pages of \(ByteCount($0.byteCount))", "\($0.freeCount) of \($0.count) free")
    }
    facts.append(("may be locked", limit(machine.lockLimitByteCount)))
    facts.append(("may be mapped", limit(machine.addressSpaceLimitByteCount)))
    if let most = machine.mappingCountMax { facts.append(("mappings", "at most \(most)")) }
    if let limit = machine.groupLimitByteCount {
      facts.append(("control group", "\(ByteCount(machine.groupUsedByteCount ?? 0)) of \(ByteCount(limit)) used"))
    }
    return facts
  }
}
