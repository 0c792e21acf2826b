public import struct Foundation.Data

/// A heap as a picture: its extent in equal cells, in address order, each with its share in use.
public struct HeapPicture: Hashable, Sendable, Codable {
  /// The bytes in each cell; the last cell may have fewer.
  public let cellByteCount: UInt64

  /// The heap's extent in bytes.
  public let extentByteCount: UInt64

  /// The share of each cell in use: from 0 for nothing to 255 for all of it. It is rounded up: a single byte counts.
  public let cells: Data

  /// The share of each cell that is in use although nobody asked for it, from 0 to 255: rounding to a size class, headers,
  /// padding.
  public let waste: Data

  /// The picture of a layout in at most `cellCount` cells.
  ///
  /// - Parameter requests: What the live blocks were asked for: the offset of each, and its bytes.
  public init(
    of layout: HeapLayout, requests: some Sequence<(offset: UInt64, byteCount: UInt64)>, cellCount: Int
  ) {
    precondition(cellCount > 0, "a picture must have a cell")
    extentByteCount = layout.extentByteCount
    let size = max(1, (layout.extentByteCount + UInt64(cellCount) - 1) / UInt64(cellCount))
    cellByteCount = size
    let count = Int((layout.extentByteCount + size - 1) / size)
    var free = [UInt64](repeating: 0, count: count)
    for run in layout.freeRuns { Self.add(run.offset, run.byteCount, to: &free, cellByteCount: size) }
    var requested = [UInt64](repeating: 0, count: count)
    for request in requests { Self.add(request.offset, request.byteCount, to: &requested, cellByteCount: size) }
    var shares = [UInt8](repeating: 255, count: count)
    var waste = [UInt8](repeating: 0, count: count)
    for cell in 0..<count {
      let total = Double(min(size, layout.extentByteCount - UInt64(cell) * size))
      let used = total - Double(free[cell])
      if free[cell] > 0 { shares[cell] = UInt8((used / total * 255).rounded(.up)) }
      waste[cell] = UInt8((max(0, used - Double(requested[cell])) / total * 255).rounded())
    }
    cells = Data(shares)
    self.waste = Data(waste)
  }

  /// Adds the bytes of a stretch to the cells that it lies in.
  private static func add(
    _ offset: UInt64, _ byteCount: UInt64, to cells: inout [UInt64], cellByteCount size: UInt64
  ) {
    var start = offset
    let end = offset + byteCount
    while start < end, start / size < UInt64(cells.count) {
      let clippedEnd = min(end, (start / size + 1) * size)
      cells[Int(start / size)] += clippedEnd - start
      start = clippedEnd
    }
  }

  /// The shares in use for a picture of at most `count` cells, each the average over its part.
  public func shares(inCells count: Int) -> [Double] {
    guard cells.count > count else { return cells.map { Double($0) / 255 } }
    return (0..<count).map { index in
      let start = index * cells.count / count
      let end = max(start + 1, (index + 1) * cells.count / count)
      let sum = cells[(cells.startIndex + start)..<(cells.startIndex + end)].reduce(0.0) { $0 + Double($1) }
      return sum / Double(end - start) / 255
    }
  }

  /// The shares in use and wasted in cells of another size, each the average over its bytes.
  func shares(inCellsOf size: UInt64) -> [(used: Double, waste: Double)] {
    let (own, extent) = (Double(cellByteCount), Double(extentByteCount))
    return stride(from: 0, to: extentByteCount, by: Int(size)).map { start in
      let (start, end) = (Double(start), min(Double(start + size), extent))
      var sums = (used: 0.0, waste: 0.0)
      var index = Int(start / own)
      while index < cells.count, Double(index) * own < end {
        let overlap = min(end, Double(index + 1) * own) - max(start, Double(index) * own)
        sums.used += overlap * Double(cells[cells.startIndex + index])
        sums.waste += overlap * Double(waste[waste.startIndex + index])
        index += 1
      }
      return (sums.used / (end - start) / 255, sums.waste / (end - start) / 255)
    }
  }
}

extension HeapPicture {
  /// The picture of a heap of which only the share of each cell in use is known, from 0 to 255.
  init(shares: [UInt8], cellByteCount: UInt64) {
    self.cellByteCount = cellByteCount
    extentByteCount = UInt64(shares.count) * cellByteCount
    cells = Data(shares)
    waste = Data(repeating: 0, count: shares.count)
  }
}
