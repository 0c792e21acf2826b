import Foundation

@testable import HeapBenchKit

/// The built driver, beside the test bundle.
enum BuiltDriver {
  static let path = HeapBenchProcess.path + "-driver"

  /// The driver's figures for these arguments under the C library's allocator.
  static func run(_ arguments: String...) async throws -> DriverFigures {
    try await DriverProcess(path: path).run(DriverCommand(arguments: arguments), under: .glibc)
  }
}
