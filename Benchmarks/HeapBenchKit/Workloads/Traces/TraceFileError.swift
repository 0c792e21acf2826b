public import AllocationTraces

/// Why a file cannot be replayed as a trace: one line with the file, the place, the finding and the remedy.
public struct TraceFileError: Error, Hashable, CustomStringConvertible {
  /// What is wrong.
  public enum Finding: Error, Hashable {
    /// The file cannot be read.
    case unreadable(reason: String)
    /// The bytes break the format.
    case malformed(TraceError)
    /// The events of a block break the format, although its checksum is right.
    case malformedBlock(TraceError, byteOffset: Int)
    /// A block's zstd frame cannot be decompressed, although its checksum is right.
    case badFrame(byteOffset: Int)
    /// A block is a zstd frame, and libzstd is not there.
    case noZstandard(byteOffset: Int)
    /// A block does not go on where the one before it ended.
    case missingBlock(byteOffset: Int)
    /// The header's text is no JSON object, or its `program` or `command` is no string.
    case badText(byteOffset: Int)
    /// A line of the table of call stacks is no frame or stack, or skips a number.
    case badStackTable(byteOffset: Int)
    /// An event names an object that an earlier event freed or reallocated.
    case endedObject(number: UInt64, byteOffset: Int)
    /// A thread's number is too high: thread numbers must not skip one.
    case threadOutOfOrder(number: UInt64, threadCount: UInt64, byteOffset: Int)
    /// The trace has more objects than a workload can number.
    case tooManyObjects(byteOffset: Int)
    /// The trace has more live bytes than 64 bits can count.
    case tooManyBytes(byteOffset: Int)
    /// The events do not agree with a count in the header, most often because the file was cut off.
    case countDiffers(key: String, promised: UInt64, found: UInt64)
  }

  /// The file's path.
  public let path: String

  /// What is wrong.
  public let finding: Finding

  init(_ path: String, _ finding: Finding) {
    self.path = path
    self.finding = finding
  }

  public var description: String { "trace '\(path)' \(finding.clause)" }
}

extension TraceFileError.Finding {
  /// The line's text after the file's name.
  fileprivate var clause: String {
    switch self {
    case .unreadable(let reason): "cannot be read: \(reason)"
    case .malformed(let error): "\(error)"
    case .malformedBlock(let error, let offset): "block at byte \(offset), \(error)"
    case .badFrame(let offset):
      "byte \(offset): the zstd frame of this block is damaged; copy or record it again"
    case .noZstandard(let offset):
      "byte \(offset): this block is compressed and libzstd.so.1 is not installed: as root, run apt-get install libzstd1"
    case .missingBlock(let offset):
      "byte \(offset): an events block is missing before this one; copy or record it again"
    case .badText(let offset): "byte \(offset): the header's text must be a JSON object; copy or record it again"
    case .badStackTable(let offset):
      "byte \(offset): the table of call stacks is damaged; copy or record it again"
    case .endedObject(let number, let offset):
      "byte \(offset): object \(number) is used after it was freed; the trace is damaged, copy or record it again"
    case .threadOutOfOrder(let number, let threadCount, let offset):
      "byte \(offset): a thread must be numbered 0…\(min(threadCount, 65535)) here, found \(number); the trace is damaged"
    case .tooManyObjects(let offset): "byte \(offset): a trace may have 4294967295 objects; record a shorter run"
    case .tooManyBytes(let offset):
      "byte \(offset): the live objects pass 2^64 bytes; the trace is damaged, copy or record it again"
    case .countDiffers(let key, let promised, let found):
      "has \(found) \(key) where its header counts \(promised); it was cut off, copy or record it again"
    }
  }
}
