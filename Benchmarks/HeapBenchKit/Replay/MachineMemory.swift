import Foundation

/// The machine's memory.
enum MachineMemory {
  /// The bytes available without swapping (`MemAvailable` of /proc/meminfo), or all of memory where Linux does not say.
  static var availableByteCount: UInt64 {
    MachineFiles().field("MemAvailable:", of: "/proc/meminfo").map { $0 << 10 }
      ?? ProcessInfo.processInfo.physicalMemory
  }
}
