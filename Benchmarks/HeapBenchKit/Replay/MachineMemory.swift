import Foundation

/// The machine's memory.
enum MachineMemory {
  /// The bytes available without swapping (`MemAvailable` of /proc/meminfo), or all of memory where Linux does not say.
  static var availableByteCount: UInt64 {
    // FileManager's `contents` asks for the size first, which is 0 in /proc.
    guard let file = FileHandle(forReadingAtPath: "/proc/meminfo"), let data = try? file.readToEnd() else {
      return ProcessInfo.processInfo.physicalMemory
    }
    let line = String(decoding: data, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
    let kibibytes = line?.split(separator: " ").dropFirst().first.flatMap { UInt64($0) }
    return kibibytes.map { $0 << 10 } ?? ProcessInfo.processInfo.physicalMemory
  }
}
