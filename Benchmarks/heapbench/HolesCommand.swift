import ArgumentParser
import HeapBenchKit

/// What a search among holes costs.
struct HolesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "holes",
    abstract: "Measures allocate + deallocate among 10 to 1,000,000 holes, first fit beside a plain list.")

  @OptionGroup var output: OutputOptions

  func run() throws {
  }
}
