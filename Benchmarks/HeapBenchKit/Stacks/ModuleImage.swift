import CallFrames
import Foundation

/// The code of an ELF file as a process has it in memory, for unwinding and for the places of symbols.
final class ModuleImage {
  /// A loadable part: its bytes in the file and its virtual address.
  private struct Segment {
    let offset, fileByteCount, address: UInt64
  }

  private let segments: [Segment]
  private let bytes: [UInt8]
  private let header: UInt64
  /// The rules that were read already, by return address.
  private var rules: [UInt64: UnwindRule] = [:]

  /// The most bytes of a file's read-only parts. Those of larger files are not unwound.
  private static let byteMaximum: UInt64 = 1 << 30

  /// The image of a file; nil where it is no ELF file of 64 bits with call frame information.
  init?(path: String) {
    guard let data = try? Data(contentsOf: URL(filePath: path), options: .alwaysMapped) else { return nil }
    func load<Word: FixedWidthInteger>(_ offset: UInt64, as: Word.Type = Word.self) -> Word? {
      guard offset <= UInt64(data.count), UInt64(data.count) - offset >= UInt64(MemoryLayout<Word>.size) else {
        return nil
      }
      // SAFETY: the bytes lie in the data.
      return unsafe data.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: Int(offset), as: Word.self) }
    }
    guard load(0, as: UInt32.self) == 0x464C_457F, load(4, as: UInt8.self) == 2,
      let start: UInt64 = load(32), let count: UInt16 = load(56), start < UInt64(data.count)
    else { return nil }
    var segments: [Segment] = []
    var header: UInt64?
    var end: UInt64 = 0
    for index in 0..<UInt64(count) {
      let at = start + index * 56
      guard let type: UInt32 = load(at), let flags: UInt32 = load(at + 4), let offset: UInt64 = load(at + 8),
        let address: UInt64 = load(at + 16), let fileByteCount: UInt64 = load(at + 32)
      else { return nil }
      if type == 0x6474_E550 { header = address }
      guard type == 1, flags & 2 == 0 else { continue }
      guard address < Self.byteMaximum, fileByteCount < Self.byteMaximum, offset < UInt64(data.count),
        fileByteCount <= UInt64(data.count) - offset
      else { return nil }
      segments.append(Segment(offset: offset, fileByteCount: fileByteCount, address: address))
      end = max(end, address + fileByteCount)
    }
    guard let header, end > 0 else { return nil }
    (self.segments, self.header) = (segments, header)
    var bytes = [UInt8](repeating: 0, count: Int(end))
    for segment in segments {
      let place = Int(segment.address)..<Int(segment.address + segment.fileByteCount)
      bytes.replaceSubrange(place, with: data[Int(segment.offset)..<Int(segment.offset + segment.fileByteCount)])
    }
    self.bytes = bytes
  }

  /// The virtual address in the file of a byte at an offset in the file.
  func virtualAddress(ofFileOffset offset: UInt64) -> UInt64? {
    segments.first { offset >= $0.offset && offset - $0.offset < $0.fileByteCount }
      .map { $0.address + (offset - $0.offset) }
  }

  /// The rule for a return address, by its virtual address in the file.
  func rule(for returnAddress: UInt64) -> UnwindRule {
    if let rule = rules[returnAddress] { return rule }
    // SAFETY: the rule is read from the bytes, and nothing outside, before they may go.
    let rule = unsafe bytes.withUnsafeBytes { buffer in
      let start = UInt(bitPattern: buffer.baseAddress)
      return UnwindRule.find(
        start &+ UInt(returnAddress), header: start &+ UInt(header),
        in: FrameInformation(start: start, end: start + UInt(buffer.count)))
    }
    rules[returnAddress] = rule
    return rule
  }
}
