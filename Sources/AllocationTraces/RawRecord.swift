// What libheaplab-record.so writes while a program runs. heapbench reads it once the program has ended, and makes a trace
// of it; the format is no business of anyone else, and both sides are of one build.
//
//   file  = page: magic, process, clocks, what stopped the recording, the command line
//           chunks of 64 KiB each
//   chunk = header (64 bytes), records of 16 bytes
//
// A thread maps one chunk, its ring, and fills it. When it is full, it is written to the end of the file and emptied.
// The ring thus stays in the processor's cache, and a copy costs a fifth of mapping fresh pages. What the thread stored
// is in the file at all times, however the process ends: in a ring or in a copy.
//
//   copy written → ring's magic 0 → records 0 → base and sequence → ring's magic
//
// Where a ring with its magic and a copy have one sequence, the process ended between the first two steps, and the ring
// counts. A record's last word is stored last and is never zero: before that, the record is a hole, which a signal
// handler or the end of the process may leave. Words that are zero before a record are holes, too.
//
//   word 0 = address (48 bits) | kind (4) << 48 | usable bytes beyond the requested ones (12) << 52
//   word 1 = requested bytes (26 bits) | ticks since the chunk's base (37) << 26 | 1 << 63
//
// What does not fit stands in extensions before the record, claimed with it as one piece:
//
//   word 0 = payload (48 bits) | 15 << 48 | extension (12) << 52
//
// A call stack's hash is one word before the record, and before its extensions.
//
// A reading of the counter takes longer than the rest of a record. So a record takes over its thread's last ticks if the
// last call with its block is in the same ring, where the order is that of the calls: no other thread's call with the
// block can lie between. All other records have ticks of their own, and so has one in each 256 bytes of records, and the
// first one after each beat of heapbench's clock, which beats each millisecond. Ticks are thus never late, and at most a
// beat early. A record that takes over its ticks and whose numbers are small is one word:
//
//   word 0 = address (bits 4 to 47) | usable bytes beyond (4) | kind (4) << 48 | requested bytes (12) << 52

/// A record of a call, or an extension of the record that follows it.
@frozen
public struct RawRecord: Hashable, Sendable {
  /// The first word, never zero.
  public var head: UInt64
  /// The second word, never zero; it is stored after the first. A record of one word has none.
  public var tail: UInt64

  /// The record of these words.
  @inlinable public init(head: UInt64, tail: UInt64) {
    self.head = head
    self.tail = tail
  }

  /// The bytes of a record.
  @inlinable public static var byteCount: UInt { 16 }
  /// The bytes of a record of one word.
  @inlinable public static var shortByteCount: UInt { 8 }
  /// The most requested bytes that a record holds without an extension.
  @inlinable public static var sizeMax: UInt64 { 1 << 26 - 1 }
  /// The most usable bytes beyond the requested ones that a record holds without an extension.
  @inlinable public static var extraMax: UInt64 { 1 << 12 - 1 }
  /// The most ticks since a chunk's base.
  @inlinable public static var ticksMax: UInt64 { 1 << 37 - 1 }

  /// What was called. The numbers are those of a trace's column of entries.
  @frozen
  public enum Kind: UInt8, Sendable {
    /// The hash of the next record's call stack, in one word.
    case stack = 0
    /// `malloc`.
    case malloc = 1
    /// `calloc`.
    case calloc = 2
    /// Stamped before the call.
    case free = 3
    /// The block that a `realloc` or `reallocarray` gets, stamped before the call.
    case reallocBegin = 4
    /// The block that it returned; address 0 when it failed, or freed the block for 0 bytes.
    case realloc = 5
    /// `aligned_alloc`.
    case alignedAlloc = 6
    /// `posix_memalign`.
    case posixMemalign = 7
    /// `memalign`.
    case memalign = 8
    /// `valloc`.
    case valloc = 9
    /// `pvalloc`.
    case pvalloc = 10
    /// As ``realloc``, of `reallocarray`.
    case reallocarray = 11
    /// `malloc`, in one word.
    case shortMalloc = 12
    /// `calloc`, in one word.
    case shortCalloc = 13
    /// `free`, in one word.
    case shortFree = 14
    /// An extension.
    case extended = 15

    /// The kind that says the same in one word; nil where there is none.
    @inlinable public var short: Kind? {
      switch self {
      case .malloc: .shortMalloc
      case .calloc: .shortCalloc
      case .free: .shortFree
      default: nil
      }
    }

    /// The kind that says the same in two words.
    @inlinable public var long: Kind {
      switch self {
      case .shortMalloc: .malloc
      case .shortCalloc: .calloc
      case .shortFree: .free
      default: self
      }
    }
  }

  /// What an extension's payload is.
  @frozen
  public enum Extension: UInt16, Sendable {
    /// The upper bits of the next record's requested bytes, from bit 26.
    case size = 1
    /// The logarithm to base 2 of the next record's alignment.
    case alignment = 2
    /// The next record's usable bytes beyond the requested ones.
    case extra = 3
    /// The number of the thread that goes on in this chunk.
    case thread = 4
    /// A mark whose text has that many bytes.
    case mark = 5
    /// Up to six bytes of a mark's text, the first lowest.
    case text = 6
    /// A return address of a call stack, the innermost first.
    case frame = 7
    /// The hash of the call stack whose frames stand before it, as one piece. They come before the first record with
    /// that hash, or with it again after a while.
    case stackHash = 8
  }

  /// The record of a call.
  @inlinable public init(_ kind: Kind, address: UInt64, size: UInt64, extra: UInt64, ticks: UInt64) {
    head = address & (1 << 48 - 1) | UInt64(kind.rawValue) << 48 | min(extra, Self.extraMax) << 52
    tail = size & Self.sizeMax | ticks << 26 | 1 << 63
  }

  /// The one word of a call; nil where a number is too large for it, or the kind has none.
  @inlinable public static func word(_ kind: Kind, address: UInt64, size: UInt64, extra: UInt64) -> UInt64? {
    guard let short = kind.short, size < 1 << 12, extra < 16, address & 15 == 0 else { return nil }
    return address & (1 << 48 - 1) | extra | UInt64(short.rawValue) << 48 | size << 52
  }

  /// The record that a word is, with the ticks that it takes over; nil for the first word of two.
  @inlinable public init?(word: UInt64, ticks: UInt64) {
    guard let kind = Kind(rawValue: UInt8(truncatingIfNeeded: word >> 48) & 15) else { return nil }
    if kind == .stack {
      self.init(.stack, address: word, size: 0, extra: 0, ticks: ticks)
      return
    }
    guard kind.long != kind else { return nil }
    self.init(kind.long, address: word & (1 << 48 - 16), size: word >> 52, extra: word & 15, ticks: ticks)
  }

  /// The one word of a call stack's hash, which has 48 bits and is not 0.
  @inlinable public static func word(stack: UInt64) -> UInt64 { stack & (1 << 48 - 1) }

  /// An extension.
  @inlinable public init(_ kind: Extension, payload: UInt64, ticks: UInt64) {
    head = payload & (1 << 48 - 1) | UInt64(Kind.extended.rawValue) << 48 | UInt64(kind.rawValue) << 52
    tail = ticks << 26 | 1 << 63
  }

  /// What was called; nil for words that are no record.
  @inlinable public var kind: Kind? { Kind(rawValue: UInt8(truncatingIfNeeded: head >> 48) & 15) }
  /// What the payload of an extension is.
  @inlinable public var extensionKind: Extension? { Extension(rawValue: UInt16(truncatingIfNeeded: head >> 52)) }
  /// The block's address, or an extension's payload.
  @inlinable public var address: UInt64 { head & (1 << 48 - 1) }
  /// The usable bytes beyond the requested ones.
  @inlinable public var extra: UInt64 { head >> 52 }
  /// The requested bytes, or their lowest 26 bits.
  @inlinable public var size: UInt64 { tail & Self.sizeMax }
  /// The ticks since the chunk's base.
  @inlinable public var ticks: UInt64 { tail >> 26 & Self.ticksMax }
}

/// The places in a file of raw records, in bytes from the file's start or from a chunk's.
public enum RawFile {
  /// `HLRAW001` as a little-endian number: the first word of a file.
  @inlinable public static var magic: UInt64 { 0x3130_3057_4152_4C48 }
  /// `HLCHUNK1`: the first word of a chunk.
  @inlinable public static var chunkMagic: UInt64 { 0x314B_4E55_4843_4C48 }
  /// The first chunk's place.
  @inlinable public static var headerByteCount: UInt { 4096 }
  /// The process.
  @inlinable public static var processOffset: UInt { 8 }
  /// Its parent.
  @inlinable public static var parentOffset: UInt { 16 }
  /// The clock's ticks at the file's start.
  @inlinable public static var ticksOffset: UInt { 24 }
  /// The nanoseconds of CLOCK_MONOTONIC at the same moment.
  @inlinable public static var nanosecondsOffset: UInt { 32 }
  /// The errno that ended the recording; 0 while it goes on.
  @inlinable public static var failureOffset: UInt { 40 }
  /// Nonzero in a child of fork, which began with its parent's blocks.
  @inlinable public static var forkOffset: UInt { 48 }
  /// The recorder stops when this word is no longer 0.
  @inlinable public static var stopOffset: UInt { 56 }
  /// The bytes of the command line.
  @inlinable public static var commandByteCountOffset: UInt { 64 }
  /// The command line, with zeros between the words.
  @inlinable public static var commandOffset: UInt { 72 }

  /// The bytes of a chunk.
  @inlinable public static var chunkByteCount: UInt { 64 << 10 }
  /// Where its thread's ring is in the file; in a copy, too.
  @inlinable public static var chunkRingOffset: UInt { 8 }
  /// How often the ring was full before.
  @inlinable public static var chunkSequenceOffset: UInt { 16 }
  /// The ticks of its base.
  @inlinable public static var chunkTicksOffset: UInt { 24 }
  /// Its first thread.
  @inlinable public static var chunkThreadOffset: UInt { 32 }
  /// The first record's place in a chunk.
  @inlinable public static var recordsOffset: UInt { 64 }

  /// The ring's number, from 0: a copy has it, too.
  @inlinable public static var chunkNumberOffset: UInt { 48 }

  /// `HLMAPS01`: the first word of a copy of `/proc/self/maps`, which begins where a chunk could and takes as many
  /// chunks' room as it needs.
  @inlinable public static var mapsMagic: UInt64 { 0x3130_5350_414D_4C48 }
  /// The bytes of its text, which is at ``recordsOffset``; the ticks are where a chunk has them.
  @inlinable public static var mapsByteCountOffset: UInt { 8 }

  /// The environment variable that names the folder of the files.
  @inlinable public static var folderVariable: StaticString { "HEAPLAB_RECORD" }
  /// The environment variable with the most frames of a call stack.
  @inlinable public static var stacksVariable: StaticString { "HEAPLAB_RECORD_STACKS" }
  /// The most that it may say.
  @inlinable public static var frameCountMax: UInt { 64 }
  /// The environment variable with the mean bytes between two samples.
  @inlinable public static var sampleVariable: StaticString { "HEAPLAB_RECORD_SAMPLE" }
  /// The name of heapbench's clock in the folder.
  @inlinable public static var beatName: StaticString { "beat" }
}
