import ArgumentParser
import HeapBenchKit

/// Shows the machine as an allocator sees it.
struct TopologyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "topology",
    abstract: "Shows the machine as an allocator sees it: nodes, pages, limits, and what would be denied.",
    discussion: """
      Nodes with their processors, memory and distances; pools of huge pages; limits of this process and of its control \
      group. What placement, pinning or observation would be denied is listed with the command that allows it. Run it \
      as the user, and in the container, of the program in question.

      EXAMPLES
        heapbench topology
        heapbench topology --json - | jq .denials
      """)

  @OptionGroup var figures: JSONOptions

  func run() throws {
    let results = try Results(json: figures.json)
    let report = TopologyReport()
    try results.show(report.text(style: .standardOutput))
    try results.write(json: report.json())
  }
}
