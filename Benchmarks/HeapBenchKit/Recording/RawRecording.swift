import AllocationTraces
import Foundation

/// A file of raw records: what one process left, whole or not.
struct RawRecording {
  /// Why a file is no recording.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// A run of records: a ring, or a copy of a full one.
  struct Chunk {
    let offset: Int
    let ring: UInt64
    let sequence: UInt64
    let ticks: UInt64
    let thread: UInt64
  }

  /// The file's path.
  let path: String
  /// The process, and its parent.
  let process: Int
  let parent: Int
  /// Whether it is a child of fork, which began with its parent's blocks.
  let isChild: Bool
  /// The errno that ended the recording early; 0 if none did.
  let failure: Int32
  /// The words of the command line.
  let command: [String]
  /// The ticks at the start.
  let startTicks: UInt64
  /// The chunks of each ring, in their order.
  let rings: [[Chunk]]
  /// What was mapped, as often as the loader changed it, by ticks.
  let maps: [ProcessMaps]

  let file: MappedFile

  /// Reads the file's header and finds its chunks.
  init(path: String) throws(Failure) {
    self.path = path
    do throws(MappedFile.Failure) {
      file = try MappedFile(path)
    } catch {
      throw Failure(description: "'\(path)' cannot be read: \(error.reason)")
    }
    guard file.count >= Int(RawFile.headerByteCount), file.word(at: 0) == RawFile.magic else {
      throw Failure(description: "'\(path)' has no raw records")
    }
    process = Int(file.word(at: Int(RawFile.processOffset)))
    parent = Int(file.word(at: Int(RawFile.parentOffset)))
    isChild = file.word(at: Int(RawFile.forkOffset)) != 0
    failure = Int32(truncatingIfNeeded: file.word(at: Int(RawFile.failureOffset)))
    startTicks = file.word(at: Int(RawFile.ticksOffset))
    let room = Int(RawFile.headerByteCount - RawFile.commandOffset)
    let length = min(Int(file.word(at: Int(RawFile.commandByteCountOffset))), room)
    let start = Int(RawFile.commandOffset)
    command = file.withBytes { bytes in
      (start..<start + length).map { bytes[$0] }.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
    rings = Self.rings(of: file)
    maps = Self.maps(in: file)
  }

  /// What a chunk's header says; nil for a chunk that was never begun, or a ring that was being emptied.
  private static func chunk(at offset: Int, of file: MappedFile) -> Chunk? {
    guard file.count >= offset + Int(RawFile.recordsOffset), file.word(at: offset) == RawFile.chunkMagic else {
      return nil
    }
    return Chunk(
      offset: offset, ring: file.word(at: offset + Int(RawFile.chunkRingOffset)),
      sequence: file.word(at: offset + Int(RawFile.chunkSequenceOffset)),
      ticks: file.word(at: offset + Int(RawFile.chunkTicksOffset)),
      thread: file.word(at: offset + Int(RawFile.chunkThreadOffset)))
  }

  /// The places of chunks. A chunk's pages are forgotten once the next one's place is asked for.
  private static func chunkStarts(of file: MappedFile) -> some Sequence<Int> {
    let byteCount = Int(RawFile.chunkByteCount)
    return stride(from: Int(RawFile.headerByteCount), to: file.count, by: byteCount).lazy.map { start in
      file.forget(max(0, start - byteCount)..<start)
      return start
    }
  }

  private static func maps(in file: MappedFile) -> [ProcessMaps] {
    chunkStarts(of: file).compactMap { start in
      guard file.word(at: start) == RawFile.mapsMagic else { return nil }
      let text = start + Int(RawFile.recordsOffset)
      let length = Int(truncatingIfNeeded: file.word(at: start + Int(RawFile.mapsByteCountOffset)))
      guard (0...file.count - text).contains(length) else { return nil }
      return file.withBytes { bytes in
        ProcessMaps(
          String(decoding: (text..<text + length).map { bytes[$0] }, as: UTF8.self),
          ticks: file.word(at: start + Int(RawFile.chunkTicksOffset)))
      }
    }.sorted { $0.ticks < $1.ticks }
  }

  private static func rings(of file: MappedFile) -> [[Chunk]] {
    var rings: [UInt64: [Chunk]] = [:]
    for chunk in chunkStarts(of: file).compactMap({ chunk(at: $0, of: file) }) {
      rings[chunk.ring, default: []].append(chunk)
    }
    return rings.values.map { chunks in
      // Where a ring and a copy have one sequence, the ring counts: the copy may be a part.
      let newest = chunks.first { UInt64($0.offset) == $0.ring }
      return chunks.filter { $0.sequence != newest?.sequence || $0.offset == newest?.offset }
        .sorted { $0.sequence < $1.sequence }
    }.sorted { $0[0].offset < $1[0].offset }
  }
}

extension MappedFile {
  /// The word of 64 bits at `offset`; 0 past the end.
  @inline(__always) func word(at offset: Int) -> UInt64 {
    guard offset >= 0, offset + 8 <= count else { return 0 }
    return withBytes { bytes in
      // SAFETY: every pattern of bits is an integer, and the bounds were checked.
      unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
    }
  }
}
