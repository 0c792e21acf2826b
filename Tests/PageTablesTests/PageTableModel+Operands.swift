import Addresses
import PageTables

// What the model's operations work on. Addresses cluster around the borders of levels and halves.

extension PageTableModel {
  func place(_ bytes: inout OperationBytes) -> UInt64 {
    let half = Self.spaceByteCount / 2
    let (large, largest) = (Format.pageSize(level: 1).byteCount, Format.largestPage.byteCount)
    let areas = [0, 2 * largest - large, half - 3 * large, half, Self.spaceByteCount - 3 * large, largest]
    let area = areas[bytes.next() % areas.count]
    // Pages at and around the boundaries of three adjacent tables, where operations often meet.
    let choice = bytes.next()
    let count = Format.entryCount
    let page = [0, count - 12, 2 * count - 12, 3 * count - 32][choice >> 6] + choice & 31
    return (area + UInt64(page) * Format.granule.byteCount) % Self.spaceByteCount
  }

  func size(_ bytes: inout OperationBytes) -> PageSize {
    [Format.granule, Format.granule, Format.pageSize(level: 1), Format.largestPage][bytes.next() % 4]
  }

  func permissions(_ bytes: inout OperationBytes) -> MemPerm {
    [.kernelData, .kernelCode, .userReadOnly, .userData, .userCode, .kernelReadOnly][bytes.next() % 6]
  }

  /// Attributes of any kind, which a leaf of this format keeps apart.
  func attributes(_ bytes: inout OperationBytes) -> PageAttributes {
    let permissions = permissions(&bytes)
    let choice = UInt8(truncatingIfNeeded: bytes.next())
    let wanted = PageAttributes(permissions, MemoryType(rawValue: choice & 3) ?? .normal, isGlobal: choice & 4 != 0)
    let leaf = Format.leafEntry(.null, wanted, level: 0)
    let isKept = Format.memoryType(of: leaf, level: 0) == wanted.memoryType
    return isKept ? wanted : PageAttributes(permissions, isGlobal: wanted.isGlobal)
  }

  /// The first frame for a range of translated bits, aligned like it or not.
  ///
  /// The range gets no frame of the allocator: those hold tables, which are freed while the mapping stands.
  func frame(for range: Range<UInt64>, _ bytes: inout OperationBytes) -> UInt64 {
    let choice = UInt64(bytes.next())
    let start = (range.lowerBound & 0x3FFF_FFFF) + (choice % 8) << 30
    let shift = choice >= 0xC0 ? Format.granule.byteCount : 0
    let wanted = AddrRange(start: PhysAddr(start), byteCount: range.upperBound - range.lowerBound + shift)
    return start + shift + (wanted.overlaps(frames.range) ? 8 << 30 : 0)
  }

  /// A range that does not cross the end of either half.
  func range(_ bytes: inout OperationBytes) -> Range<UInt64> {
    let start = place(&bytes)
    let choice = bytes.next()
    let (small, large) = (Format.granule.byteCount, Format.pageSize(level: 1).byteCount)
    let wanted = choice < 0xC0 ? UInt64(choice) % 40 * small : UInt64(choice % 4) * large + UInt64(choice % 3) * small
    let half = Self.spaceByteCount / 2
    // No range of addresses contains the last page of the space.
    let limit = start < half ? half : Self.spaceByteCount - Format.granule.byteCount
    return start..<max(start, min(start + wanted, limit))
  }

  func addresses(_ range: Range<UInt64>) -> AddrRange<VirtAddr> {
    AddrRange(start: Format.address(range.lowerBound), byteCount: UInt(range.upperBound - range.lowerBound))
  }
}
