import Foundation

/// The lines of a file, one by one; of a compressed file, as zstd or gzip decompresses it.
final class LineReader {
  private let path: String
  private let descriptor: Int32
  private let process: Process?
  private var buffer: [UInt8] = []
  private var start = 0

  /// The longest line: a file without lines must not fill the memory.
  private static let lineByteCountMax = 1 << 20

  /// The number of the last line, from 1.
  private(set) var lineNumber = 0

  /// Opens the file.
  init(_ path: String) throws(TraceImportError) {
    self.path = path
    // SAFETY: open reads a C string.
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw TraceImportError(path, line: 0, " cannot be read: \(systemText(errno))") }
    let program = ["zst": "zstd", "gz": "gzip"][URL(filePath: path).pathExtension]
    guard let program else {
      descriptor = file
      process = nil
      return
    }
    let pipe = Pipe()
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program, "-dc"]
    process.standardInput = FileHandle(fileDescriptor: file, closeOnDealloc: true)
    process.standardOutput = pipe
    do {
      try process.run()
    } catch {
      throw TraceImportError(path, line: 0, " needs \(program), which cannot be started; install it")
    }
    self.process = process
    descriptor = dup(pipe.fileHandleForReading.fileDescriptor)
  }

  deinit {
    close(descriptor)
    process?.terminate()
  }

  /// The next line without its newline; nil at the end.
  ///
  /// - Throws: ``TraceImportError`` when the file cannot be read or decompressed.
  func next() throws(TraceImportError) -> String? {
    while true {
      if let end = buffer[start...].firstIndex(of: 0x0A) {
        defer { start = end + 1 }
        lineNumber += 1
        return String(decoding: buffer[start..<end], as: UTF8.self)
      }
      guard buffer.count - start <= Self.lineByteCountMax else {
        throw TraceImportError(path, line: lineNumber + 1, " it is longer than 1 MiB; no call has such a line")
      }
      guard try fill() else {
        defer { start = buffer.count }
        guard start < buffer.count else { return nil }
        lineNumber += 1
        return String(decoding: buffer[start...], as: UTF8.self)
      }
    }
  }

  private func fill() throws(TraceImportError) -> Bool {
    buffer.removeFirst(start)
    start = 0
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    // SAFETY: the buffer has `count` bytes and outlives the call.
    let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
    guard count >= 0 else { throw TraceImportError(path, line: 0, " cannot be read: \(systemText(errno))") }
    if count == 0, let process {
      process.waitUntilExit()
      guard process.terminationStatus == 0 else {
        throw TraceImportError(path, line: 0, " is damaged: its compression ends early")
      }
    }
    buffer += chunk[..<count]
    return count > 0
  }
}
