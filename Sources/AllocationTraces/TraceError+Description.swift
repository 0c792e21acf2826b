#if !hasFeature(Embedded)

  extension TraceError: CustomStringConvertible {
    /// The finding with its byte offset and the way out. It leaves out the file's name, which the caller knows.
    public var description: String { "byte \(byteOffset): \(finding)" }
  }

  extension TraceError.Finding: CustomStringConvertible {
    public var description: String {
      switch self {
      case .badMagic: "no allocation trace: it must start with HLTRACE1"
      case .truncatedHeader: "the trace ends within its header; copy or record it again"
      case .truncatedNumber: "the trace ends within an event; copy or record it again"
      case .oversizedNumber: "a number of more than 64 bits; the trace is damaged, copy or record it again"
      case .unknownTag(let tag): "an event must start with a tag 0…6, found \(tag); the trace is damaged"
      case .noSuchObject(let distance, let objectCount):
        "an event names the object \(distance) before the newest of \(objectCount); the trace is damaged"
      case .impossibleAlignment(let log2): "an alignment must be 2^0…2^63, found 2^\(log2); the trace is damaged"
      }
    }
  }

#endif
