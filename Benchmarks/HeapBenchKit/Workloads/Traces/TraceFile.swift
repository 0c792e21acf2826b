import AllocationTraces
import Foundation

/// An `HLTRACE1` file: a real program's calls of the malloc family, in their order.
public struct TraceFile: Sendable {
  /// The file's name, without folder and extension.
  public let name: String

  /// The decoded text of the header.
  public let text: TraceText

  private let path: String
  private let bytes: [UInt8]
  private let header: TraceHeader

  /// The extension of a trace's file name.
  public static let fileExtension = "hltrace"

  /// Reads the file at `path` and decodes its header.
  ///
  /// - Throws: ``TraceFileError`` when the file cannot be read or does not start with a trace's header.
  public init(path: String) throws(TraceFileError) {
    let bytes: [UInt8]
    do throws(FileBytes.Failure) {
      bytes = try FileBytes.read(path)
    } catch {
      throw TraceFileError(path, .unreadable(reason: error.reason))
    }
    let header: TraceHeader
    do throws(TraceError) {
      header = try TraceHeader(decoding: bytes.span)
    } catch {
      throw TraceFileError(path, .malformed(error))
    }
    do {
      text = try JSONDecoder().decode(TraceText.self, from: Data(bytes[header.text]))
    } catch {
      throw TraceFileError(path, .badText(byteOffset: header.text.lowerBound))
    }
    self.path = path
    self.bytes = bytes
    self.header = header
    name = URL(filePath: path).deletingPathExtension().lastPathComponent
  }

  /// One sentence on whose behaviour this is.
  public var summary: String {
    "\(text.program ?? "a program")\(text.command.map { ", \($0)" } ?? ""), recorded"
  }

  /// The trace as a workload.
  ///
  /// - Throws: ``TraceFileError`` at the first event that is malformed or names an object that has ended, and when the
  ///   events do not agree with the header's counts.
  /// - Complexity: O(*n*) for *n* events, in time and memory.
  public func workload() throws(TraceFileError) -> Workload {
    var reader = TraceReader(eventCount: text.counts["events"] ?? 0)
    do throws(TraceFileError.Finding) {
      try reader.read(bytes.span, from: TraceDecoder(after: header))
      try reader.counts.check(against: text.counts)
    } catch {
      throw TraceFileError(path, error)
    }
    return Workload(
      name: name, summary: summary, threadCount: Int(reader.counts.threads), objectCount: reader.objectCount,
      steps: reader.steps)
  }
}
