public import struct Foundation.Data

/// A heap as a picture: its extent in equal cells, in address order, each with its share in use.
public struct HeapPicture: Hashable, Sendable, Codable {
  /// The bytes in each cell; the last cell may have fewer.
  public let cellByteCount: UInt64

  /// The heap's extent in bytes.
  public let extentByteCount: UInt64

  /// The share of each cell in use: from 0 for nothing to 255 for all of it. It is rounded up: a single byte counts.
  public let cells: Data

  /// The picture of a layout in at most `cellCount` cells.
  public init(of layout: HeapLayout, cellCount: Int) {
    precondition(cellCount > 0, "a picture must have a cell")
    extentByteCount = layout.extentByteCount
    let size = max(1, (layout.extentByteCount + UInt64(cellCount) - 1) / UInt64(cellCount))
    cellByteCount = size
    let count = Int((layout.extentByteCount + size - 1) / size)
    var free = [UInt64](repeating: 0, count: count)
    for run in layout.freeRuns {
      var start = run.offset
      let end = run.offset + run.byteCount
      while start < end {
        let cell = start / size
        let clippedEnd = min(end, (cell + 1) * size)
        free[Int(cell)] += clippedEnd - start
        start = clippedEnd
      }
    }
    var shares = [UInt8](repeating: 255, count: count)
    for cell in 0..<count where free[cell] > 0 {
      let total = min(size, layout.extentByteCount - UInt64(cell) * size)
      shares[cell] = UInt8((Double(total - free[cell]) / Double(total) * 255).rounded(.up))
    }
    cells = Data(shares)
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
}
