import Assertions

// HLTRACE2 is the eight bytes `HLTRACE2` and blocks. docs/traces.md describes it to the byte.
//
//   block = header (56 bytes), stored content
//
// Two checksums stand in a header: that of the stored content, and that of the header before it. A reader thus tells a
// damaged length from a file that was cut off: only the latter has a header that is right and less content than it
// says. Everything in the file after the magic is in a block, so one rule finds every flipped byte.

/// What a block of a trace holds. A reader skips the kinds that it does not know.
@frozen
public struct TraceBlockKind: RawRepresentable, Hashable, Sendable {
  /// The byte that stands for the kind.
  public let rawValue: UInt8

  /// The kind of this byte.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// A JSON object on the recording. The keys of a later one replace those of an earlier one.
  @inlinable public static var text: TraceBlockKind { TraceBlockKind(rawValue: 1) }
  /// Events, as ``TraceEncoder`` writes them.
  @inlinable public static var events: TraceBlockKind { TraceBlockKind(rawValue: 2) }
  /// For each call of the events block before it, the nanoseconds since the call before.
  @inlinable public static var times: TraceBlockKind { TraceBlockKind(rawValue: 3) }
  /// For each call of the events block before it, the function that was called.
  @inlinable public static var entries: TraceBlockKind { TraceBlockKind(rawValue: 4) }
  /// For each call of the events block before it that makes an object, the usable bytes beyond the requested ones.
  @inlinable public static var usableBytes: TraceBlockKind { TraceBlockKind(rawValue: 5) }
  /// For each call of the events block before it that makes an object, its address.
  @inlinable public static var addresses: TraceBlockKind { TraceBlockKind(rawValue: 6) }
  /// For each call of the events block before it, the number of its call stack.
  @inlinable public static var stacks: TraceBlockKind { TraceBlockKind(rawValue: 7) }
  /// Frames and call stacks of the table of call stacks.
  @inlinable public static var stackTable: TraceBlockKind { TraceBlockKind(rawValue: 8) }
  /// For each call of the events block before it that makes an object, the calls that it stands for.
  @inlinable public static var weights: TraceBlockKind { TraceBlockKind(rawValue: 9) }
  /// The place of each events block.
  @inlinable public static var index: TraceBlockKind { TraceBlockKind(rawValue: 126) }
  /// The place of the index: the last block of a complete trace.
  @inlinable public static var end: TraceBlockKind { TraceBlockKind(rawValue: 127) }
}

/// The header of a block.
@frozen
public struct TraceBlock: Hashable, Sendable {
  /// What the block holds.
  public var kind: TraceBlockKind
  /// How the content is stored.
  public var encoding: Encoding
  /// The thread of the block's first event.
  public var thread: UInt32
  /// The bytes of the content in the file.
  public var storedByteCount: UInt32
  /// The bytes of the content once decoded.
  public var contentByteCount: UInt32
  /// How many calls the earlier blocks hold.
  public var firstCall: UInt64
  /// How many objects the earlier blocks make.
  public var firstObject: UInt64
  /// The nanoseconds from the start of the recording to the block's first event.
  public var nanoseconds: UInt64
  /// The ``TraceChecksum`` of the stored content.
  public var checksum: UInt64

  /// How a block's content is stored.
  @frozen
  public enum Encoding: UInt8, Sendable {
    /// As it is.
    case plain = 0
    /// As one zstd frame.
    case zstd = 1
  }

  /// The bytes of a header.
  @inlinable public static var headerByteCount: Int { 56 }
  /// The most bytes of a block's content, decoded or stored: a reader's buffers have this bound.
  @inlinable public static var contentByteCountMax: Int { 16 << 20 }
  /// The bytes before the first block.
  @inlinable public static var magicByteCount: Int { 8 }

  /// A header of a block with this content, which is stored as it is.
  public init(
    _ kind: TraceBlockKind, thread: UInt32 = 0, firstCall: UInt64 = 0, firstObject: UInt64 = 0,
    nanoseconds: UInt64 = 0, content: Span<UInt8>
  ) {
    self.init(
      kind, thread: thread, firstCall: firstCall, firstObject: firstObject, nanoseconds: nanoseconds, stored: content,
      encoding: .plain, contentByteCount: content.count)
  }

  /// A header of a block whose content of `contentByteCount` bytes is stored as `stored`. Traps above
  /// ``contentByteCountMax``.
  public init(
    _ kind: TraceBlockKind, thread: UInt32 = 0, firstCall: UInt64 = 0, firstObject: UInt64 = 0,
    nanoseconds: UInt64 = 0, stored: Span<UInt8>, encoding: Encoding, contentByteCount: Int
  ) {
    require(
      max(stored.count, contentByteCount) <= Self.contentByteCountMax,
      "a trace's block holds at most 16 MiB, found", UInt64(max(stored.count, contentByteCount)))
    self.kind = kind
    self.encoding = encoding
    self.thread = thread
    storedByteCount = UInt32(stored.count)
    self.contentByteCount = UInt32(contentByteCount)
    self.firstCall = firstCall
    self.firstObject = firstObject
    self.nanoseconds = nanoseconds
    checksum = TraceChecksum.of(stored)
  }
}
