public import Addresses
import Foundation
public import MemoryMaps

extension MemoryMap {
  /// A map of no memory with room for `entries` entries. Its memory is never freed.
  public init(entries: Int, addressBits: Int = 52) {
    let byteCount = MemoryMap.byteCount(forEntries: entries)
    // SAFETY: nobody else has this memory.
    let memory = UnsafeMutableRawPointer.allocate(byteCount: max(Int(byteCount), 8), alignment: 64)
    self.init(in: unsafe AddrRange(start: VirtAddr(memory), byteCount: byteCount), addressBits: addressBits)
  }
}

extension AddrRange<PhysAddr> {
  /// The bytes from address `start` up to `end`.
  public init(_ start: UInt64, _ end: UInt64) { self.init(start: PhysAddr(start), end: PhysAddr(end)) }
}

/// The files in `Tests/Fixtures/MemoryMaps`; its README says where they are from.
public enum MapFixtures {
  /// The bytes of a file.
  public static func bytes(of name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: "\(#filePath)/../../Fixtures/MemoryMaps/\(name)").standardizedFileURL))
  }

  /// The bytes of a file of hexadecimal digits.
  public static func hexadecimal(_ name: String) throws -> [UInt8] {
    FirmwareTables.bytes(String(decoding: try bytes(of: name), as: UTF8.self))
  }

  /// The pieces of memory in a file: lines of a name, an address and the bytes there.
  public static func image(_ name: String) throws -> MemoryImage {
    let lines = String(decoding: try bytes(of: name), as: UTF8.self).split(separator: "\n")
    return MemoryImage(
      pieces: lines.map { line in
        let words = line.split(separator: " ")
        return MemoryImage.Piece(
          name: String(words[0]), address: UInt64(words[1], radix: 16) ?? 0,
          bytes: FirmwareTables.bytes(String(words[2])))
      })
  }
}

/// Pieces of another machine's memory.
public final class MemoryImage {
  public struct Piece {
    public let name: String
    public let address: UInt64
    public let bytes: [UInt8]

    public init(name: String, address: UInt64, bytes: [UInt8]) {
      self.name = name
      self.address = address
      self.bytes = bytes
    }
  }

  private let pieces: [(piece: Piece, start: VirtAddr)]
  private let memory: TestMemory

  public init(pieces: [Piece]) {
    func pageCount(_ piece: Piece) -> UInt { UInt(piece.bytes.count) / 4096 + 1 }
    memory = TestMemory(byteCount: pieces.reduce(1) { $0 + pageCount($1) } * 4096)
    var start = memory.range.start
    self.pieces = pieces.map { piece in
      defer { start = start + pageCount(piece) * 4096 }
      for (offset, byte) in piece.bytes.enumerated() { TestMemory.setByte(byte, at: start + UInt(offset)) }
      return (piece, start)
    }
  }

  /// The address of the piece with a name.
  public func address(of name: String) -> UInt64 {
    for (piece, _) in pieces where piece.name == name { return piece.address }
    return 0
  }

  /// Where the bytes at an address of the machine are here; nil for those that no piece has.
  public func read(_ address: UInt64, _ byteCount: Int) -> VirtAddr? {
    for (piece, start) in pieces
    where address >= piece.address && byteCount >= 0 && byteCount <= piece.bytes.count
      && address - piece.address <= UInt64(piece.bytes.count - byteCount)
    {
      return start + UInt(address - piece.address)
    }
    return nil
  }
}
