#if !hasFeature(Embedded)

  extension TraceError: CustomStringConvertible {
    /// The finding with its byte offset and the way out. It leaves out the file's name, which the caller knows.
    public var description: String { "byte \(byteOffset): \(finding)" }
  }

  extension TraceError.Finding: CustomStringConvertible {
    public var description: String {
      switch self {
      case .badMagic: "no allocation trace: it must start with HLTRACE1 or HLTRACE2"
      case .newerVersion(let version):
        "a trace of version \(version), which is newer than this reader, of version 2; use a newer heaplab"
      case .truncatedHeader: "the trace ends within its header; copy or record it again"
      case .truncatedNumber: "the trace ends within an event; copy or record it again"
      case .oversizedNumber: "a number of more than 64 bits; the trace is damaged, copy or record it again"
      case .unknownTag(let tag, let highest):
        "an event must start with a tag 0…\(highest), found \(tag); the trace is damaged"
      case .noSuchObject(let distance, let objectCount):
        "an event names the object \(distance) before the newest of \(objectCount); the trace is damaged"
      case .truncatedBlock: "the trace ends within a block"
      case .damagedHeader: "the block that starts here has a damaged header: its checksum differs; copy it again"
      case .damagedContent(let kind):
        "the block of kind \(kind) that starts here is damaged: its checksum differs; copy it again"
      case .oversizedBlock(let byteCount): "a block of \(byteCount) bytes, where at most 16 MiB may be; record it again"
      case .unknownEncoding(let encoding): "a block in the encoding \(encoding), where 0 and 1 are known"
      case .impossibleAlignment(let log2): "an alignment must be 2^0…2^63, found 2^\(log2); the trace is damaged"
      }
    }
  }

#endif
