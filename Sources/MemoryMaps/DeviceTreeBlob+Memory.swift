// The ranges of memory in a device tree, by one pass over its tokens. A node's properties come before its children, but
// in any order: what a node says of memory is known when its first child begins or when it ends.

/// A range of memory in a device tree. A number that does not fit 64 bits is nil.
struct DeviceTreeRange {
  var start: UInt64?
  var byteCount: UInt64?
  var kind: MemoryKind
  var node: UInt32?
}

extension DeviceTreeBlob {
  /// Calls `body` for each range of memory and each reservation that has a place.
  func forEachMemoryRange(
    of tree: RawSpan, _ body: (DeviceTreeRange) throws(MemoryMapError) -> Void
  ) throws(MemoryMapError) {
    try forEachReservation(of: tree, body)
    var offset = structure.lowerBound
    var depth = 0
    var rootCells = CellCounts()
    var reservedCells = CellCounts()
    var isInReservedMemory = false
    // The node whose properties are being read, if it may describe memory.
    var open: MemoryNode?
    while true {
      switch try token(at: &offset, of: tree) {
      case .begin(let name):
        if let node = open { try forEachRange(in: node, isInReservedMemory ? reservedCells : rootCells, tree, body) }
        open = nil
        depth += 1
        if depth == 2 {
          isInReservedMemory = tree.hasText("reserved-memory", at: name)
          if isInReservedMemory {
            reservedCells = CellCounts()
          } else {
            open = MemoryNode(kind: .usable, isMemory: tree.hasText("memory", at: name, separator: 0x40))
          }
        } else if depth == 3 && isInReservedMemory {
          open = MemoryNode(kind: .reserved, isMemory: true)
        }
      case .end:
        if let node = open { try forEachRange(in: node, isInReservedMemory ? reservedCells : rootCells, tree, body) }
        open = nil
        guard depth > 0 else { throw .malformed(offset: offset) }
        depth -= 1
      case .property(let name, let value):
        if depth == 1 { try rootCells.read(name, value, of: tree) }
        if depth == 2 && isInReservedMemory { try reservedCells.read(name, value, of: tree) }
        open?.read(name, value, of: tree)
      case .finish:
        guard depth == 0 else { throw .malformed(offset: offset) }
        return
      }
    }
  }

  /// Calls `body` for each range in the list of reservations.
  private func forEachReservation(
    of tree: RawSpan, _ body: (DeviceTreeRange) throws(MemoryMapError) -> Void
  ) throws(MemoryMapError) {
    var offset = reservations.lowerBound
    while true {
      guard reservations.upperBound - offset >= 16 else { throw .malformed(offset: offset) }
      let start = tree.bigEndian64(at: offset)
      let byteCount = tree.bigEndian64(at: offset + 8)
      if start == 0 && byteCount == 0 { return }
      try body(DeviceTreeRange(start: start, byteCount: byteCount, kind: .reserved))
      offset += 16
    }
  }

  /// Calls `body` for each range of a node that describes memory.
  private func forEachRange(
    in node: MemoryNode, _ cells: CellCounts, _ tree: RawSpan,
    _ body: (DeviceTreeRange) throws(MemoryMapError) -> Void
  ) throws(MemoryMapError) {
    guard node.isMemory && node.isEnabled, let ranges = node.ranges else { return }
    let byteCount = 4 * (cells.address + cells.size)
    guard byteCount > 0, ranges.count % byteCount == 0 else { throw .malformed(offset: ranges.lowerBound) }
    for start in stride(from: ranges.lowerBound, to: ranges.upperBound, by: byteCount) {
      try body(
        DeviceTreeRange(
          start: number(at: start, cells.address, tree),
          byteCount: number(at: start + 4 * cells.address, cells.size, tree),
          kind: node.kind, node: node.number))
    }
  }

  /// The number of `cells` 32-bit words at `offset`, highest first; nil when it does not fit 64 bits.
  private func number(at offset: Int, _ cells: Int, _ tree: RawSpan) -> UInt64? {
    var value: UInt64 = 0
    for cell in 0..<cells {
      guard value >> 32 == 0 else { return nil }
      value = value << 32 | UInt64(tree.bigEndian32(at: offset + 4 * cell))
    }
    return value
  }
}

/// How many 32-bit words the addresses and sizes of a node's children have.
private struct CellCounts {
  var address = 2
  var size = 1

  /// Takes a count from a property, if that has one.
  mutating func read(_ name: Int, _ value: Range<Int>, of tree: RawSpan) throws(MemoryMapError) {
    let isAddress = tree.hasText("#address-cells", at: name)
    guard isAddress || tree.hasText("#size-cells", at: name) else { return }
    guard value.count == 4, tree.bigEndian32(at: value.lowerBound) <= 4 else {
      throw .malformed(offset: value.lowerBound)
    }
    let count = Int(tree.bigEndian32(at: value.lowerBound))
    if isAddress { address = count } else { size = count }
  }
}

/// What the properties of a node say of memory.
private struct MemoryNode {
  let kind: MemoryKind
  var isMemory: Bool
  var isEnabled = true
  /// The value of the property with the ranges.
  var ranges: Range<Int>?
  /// The NUMA node.
  var number: UInt32?

  mutating func read(_ name: Int, _ value: Range<Int>, of tree: RawSpan) {
    if tree.hasText("reg", at: name) {
      ranges = value
    } else if tree.hasText("status", at: name) {
      let text = tree.extracting(value)
      isEnabled = text.hasText("okay", at: 0) || text.hasText("ok", at: 0)
    } else if kind == .usable && tree.hasText("device_type", at: name) {
      isMemory = tree.extracting(value).hasText("memory", at: 0)
    } else if tree.hasText("numa-node-id", at: name) && value.count == 4 {
      number = tree.bigEndian32(at: value.lowerBound)
    }
  }
}
