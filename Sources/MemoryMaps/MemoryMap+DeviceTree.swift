import Addresses

// The memory in a flattened device tree: nodes whose device_type is "memory" are usable; the list of reservations and
// the children of /reserved-memory that have a place are not. Devicetree specification 0.4, sections 2.3.6, 3.4, 3.5 and
// 5.3; Linux's binding for numa-node-id.

extension MemoryMap {
  /// How many bytes the device tree has that begins with `header`: at least its first 8 bytes.
  public static func byteCount(ofDeviceTree header: RawSpan) throws(MemoryMapError) -> Int {
    try DeviceTreeBlob.byteCount(header: header)
  }

  /// Adds the memory that a flattened device tree describes: `/memory`, `/reserved-memory` and `/memreserve/`.
  ///
  /// Memory with a `numa-node-id` gets that node. Nodes whose `status` is not okay are skipped. Reserved memory without
  /// a place of its own, which a kernel may put anywhere, is not in the map. The tree itself lies in memory that the map
  /// calls usable, unless it reserves itself: the caller adds its range.
  ///
  /// - Parameter tree: The whole tree, at least as many bytes as ``byteCount(ofDeviceTree:)`` says.
  @discardableResult
  public mutating func add(deviceTree tree: RawSpan) throws(MemoryMapError) -> MemoryMapReport {
    let blob = try DeviceTreeBlob(tree)
    // Find what is wrong before anything is added.
    try blob.forEachMemoryRange(of: tree) { _ throws(MemoryMapError) in }
    var report = MemoryMapReport()
    try blob.forEachMemoryRange(of: tree) { range throws(MemoryMapError) in
      // A start that does not fit 64 bits is above every limit.
      let start = range.start ?? .max
      let end = range.byteCount.flatMap { MemoryMap.end(start, $0) }
      let isBelieved = range.kind != .usable
      let number = report.entryCount
      guard let clipped = clip(start, end, isBelieved: isBelieved, number: number, &report) else { return }
      try add(clipped, range.kind)
      if range.kind == .usable, let node = range.node { try setNode(node, of: clipped) }
    }
    return report
  }
}
