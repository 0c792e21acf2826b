import ArgumentParser
import HeapBenchKit

/// Runs pairs of frame requests once: the gate starts this under valgrind.
struct FramePairsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: FramePairs.subcommand, abstract: "Runs pairs of frame requests once.", shouldDisplay: false)

  @Argument(help: "The memory.") var memory: String

  func run() throws {
    guard let memory = FrameMemory(rawValue: memory) else {
      let names = FrameMemory.allCases.map(\.rawValue).joined(separator: ", ")
      throw UserError("no memory of frames is called '\(memory)'; there are \(names)")
    }
    try FramePairs.perform(memory)
  }
}
