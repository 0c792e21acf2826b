import ArgumentParser
import Foundation
import HeapBenchKit

/// Reads a process many times; scripts/test-telemetry runs it.
struct ReadingTrialCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reading-trial", abstract: "Reads the heap of a process many times and checks the figures.",
    shouldDisplay: false)

  @Argument(help: "The number of the process.") var process: Int32
  @Argument(help: "How many readings.") var count: Int

  func run() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    try StandardOutput.write(try encoder.encode(try ReadingTrial(process: process, count: count)) + Data("\n".utf8))
  }
}
