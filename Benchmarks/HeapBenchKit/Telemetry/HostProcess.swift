import Foundation

/// A process of this host, and what /proc says of it.
public struct HostProcess: Hashable, Sendable, Codable {
  public let process: Int32
  /// When it started, in clock ticks since the system did. With the number it names a process for good: numbers are
  /// used again.
  public let startTicks: UInt64
  /// The name of its program, as the kernel has it.
  public let name: String
  /// Its resident set in bytes, all of it: code and stacks too.
  public let residentByteCount: UInt64

  /// The process with a number; nil when there is none.
  public init?(_ process: Int32) {
    // The name stands in parentheses and may have any characters.
    guard let stat = ProcFile.text("/proc/\(process)/stat"), let open = stat.firstIndex(of: "("),
      let close = stat.lastIndex(of: ")"), open < close
    else { return nil }
    let fields = stat[stat.index(after: close)...].split(separator: " ")
    guard fields.count > 21, let start = UInt64(fields[19]), let pages = UInt64(fields[21].filter(\.isNumber)) else {
      return nil
    }
    self.process = process
    startTicks = start
    name = String(stat[stat.index(after: open)..<close])
    residentByteCount = pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
  }

  /// When it started, in milliseconds of CLOCK_BOOTTIME; up to a tick early.
  var startMilliseconds: UInt64 { startTicks * 1000 / UInt64(sysconf(Int32(_SC_CLK_TCK))) }

  /// The numbers of all processes, in ascending order.
  public static var all: [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { Int32($0) }.sorted()
  }
}

extension String {
  /// The text without the control characters that a process may put into its name to fool a terminal.
  var withoutControls: String {
    String(String.UnicodeScalarView(unicodeScalars.filter { $0.properties.generalCategory != .control }))
  }
}

/// The heap of a process, with what /proc says of the process.
public struct ProcessReading: Sendable, Codable {
  public let host: HostProcess
  public let heap: HeapReading

  /// The heap of a process: from its memory or, without the right to read that, from its page in /dev/shm.
  public init(_ process: Int32) throws(TelemetryError) { self = try Self.read(process).reading }

  /// The same with the layout, which a page does not show.
  public static func read(_ process: Int32) throws(TelemetryError) -> (reading: ProcessReading, sight: HeapSight?) {
    guard let host = HostProcess(process) else { throw .noProcess(process) }
    do throws(TelemetryError) {
      let sight = try HeapReader(process: process).read()
      // It may have called exec, or its number may be another process's by now.
      guard HostProcess(process)?.startTicks == host.startTicks else { throw .changed(process) }
      return (ProcessReading(host: host, heap: sight.reading), sight)
    } catch .notAllowed {
      guard let page = TelemetryPage(of: host) else { throw .notAllowed(process) }
      return (ProcessReading(host: host, heap: page.reading), nil)
    }
  }

  init(host: HostProcess, heap: HeapReading) {
    self.host = host
    self.heap = heap
  }

  /// The processes of this host on libheaplab.so, those that can be read, in the order of their numbers, and how many others
  /// this process may not look at.
  public static func all() -> (readings: [ProcessReading], refusedCount: Int) {
    var readings: [ProcessReading] = []
    var refusedCount = 0
    for process in HostProcess.all {
      do throws(TelemetryError) {
        readings.append(try ProcessReading(process))
      } catch .notAllowed {
        refusedCount += 1
      } catch {
        // Without the library, without a heap, or gone: nothing to show.
      }
    }
    return (readings, refusedCount)
  }
}
