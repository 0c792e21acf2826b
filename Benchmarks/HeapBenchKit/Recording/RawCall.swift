import AllocationTraces

/// A recorded call, with what its extensions say.
struct RawCall {
  var kind: RawRecord.Kind = .extended
  var address: UInt64 = 0
  var byteCount: UInt64 = 0
  /// The usable bytes beyond the requested ones.
  var extraByteCount: UInt64 = 0
  var alignmentLog2: UInt8 = 0
  /// The clock's ticks.
  var ticks: UInt64 = 0
  /// The thread's number in the process.
  var thread: UInt64 = 0
  /// The hash of its call stack; 0 for none.
  var stack: UInt64 = 0
  /// The text of a mark; the kind is then `extended`.
  var mark: String?

  /// Whether the call gives out a block.
  var isAllocation: Bool {
    switch kind {
    case .free, .reallocBegin, .extended: false
    default: address != 0
    }
  }
}

/// The frames of a call stack, as a thread found them.
struct RawStack {
  let hash: UInt64
  /// The return addresses, the innermost first.
  let frames: [UInt64]
  let ticks: UInt64
}

/// The calls of one ring, in their order.
struct RawCalls {
  private let file: MappedFile
  private let chunks: [RawRecording.Chunk]
  private var chunkIndex = 0
  private var offset = 0
  private var end = 0
  private var base: UInt64 = 0
  private var thread: UInt64 = 0
  /// The ticks since the base that a record of one word takes over.
  private var ticks: UInt64 = 0
  private var frames: [UInt64] = []
  private var stacks: [RawStack] = []

  /// The next call; nil after the last.
  private(set) var next: RawCall?

  init(_ chunks: [RawRecording.Chunk], of file: MappedFile) {
    self.file = file
    self.chunks = chunks
    openChunk()
    advance()
  }

  private mutating func openChunk() {
    guard chunkIndex < chunks.count else { return }
    let chunk = chunks[chunkIndex]
    offset = chunk.offset + Int(RawFile.recordsOffset)
    end = min(chunk.offset + Int(RawFile.chunkByteCount), file.count)
    base = chunk.ticks
    thread = chunk.thread
    ticks = 0
  }

  /// The call stacks that stand before ``next``, and were not taken yet.
  mutating func takeStacks() -> [RawStack] {
    defer { if !stacks.isEmpty { stacks = [] } }
    return stacks
  }

  /// Reads the call after ``next``.
  mutating func advance() {
    var call = RawCall()
    var text: [UInt8] = []
    var textByteCount: Int?
    while true {
      guard let record = nextRecord() else {
        next = nil
        return
      }
      ticks = record.ticks
      call.ticks = base + ticks
      guard record.kind == .extended else {
        guard let kind = record.kind else { continue }
        if kind == .stack {
          call.stack = record.address
          continue
        }
        call.kind = kind
        call.address = record.address
        call.byteCount |= record.size
        if call.extraByteCount == 0 { call.extraByteCount = record.extra }
        break
      }
      switch record.extensionKind {
      case .size: call.byteCount = record.address << 26
      case .alignment: call.alignmentLog2 = UInt8(min(record.address, 63))
      case .extra: call.extraByteCount = record.address
      case .thread: thread = record.address
      case .frame: frames.append(record.address)
      case .stackHash:
        stacks.append(RawStack(hash: record.address, frames: frames, ticks: call.ticks))
        frames = []
      case .mark: textByteCount = Int(record.address)
      case .text:
        for byte in 0..<6 as Range<UInt64> { text.append(UInt8(truncatingIfNeeded: record.address >> (8 * byte))) }
      case nil: break
      }
      if let count = textByteCount, text.count >= count {
        call.mark = String(decoding: text.prefix(count), as: UTF8.self)
        break
      }
    }
    call.thread = thread
    next = call
  }

  /// The next whole record. A word that is zero is a hole, and so is a record whose second word is.
  @inline(__always) private mutating func nextRecord() -> RawRecord? {
    while true {
      while offset + Int(RawRecord.shortByteCount) <= end {
        let head = file.word(at: offset)
        offset += Int(RawRecord.shortByteCount)
        if head == 0 { continue }
        if let record = RawRecord(word: head, ticks: ticks) { return record }
        let tail = file.word(at: offset)
        offset += Int(RawRecord.shortByteCount)
        if tail != 0 { return RawRecord(head: head, tail: tail) }
      }
      chunkIndex += 1
      guard chunkIndex < chunks.count else { return nil }
      let last = chunks[chunkIndex - 1].offset
      file.forget(last..<last + Int(RawFile.chunkByteCount))
      openChunk()
    }
  }
}
