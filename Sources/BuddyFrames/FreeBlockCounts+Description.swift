#if !hasFeature(Embedded)

  import Addresses

  // The counts as text, in the format of Linux's files.

  extension FreeBlockCounts: CustomStringConvertible {
    /// The counts of all orders, each in six columns.
    public var description: String {
      (0..<FrameOrder.count).map { order in
        padded(String(self[FrameOrder(UInt8(order))]), to: 6) + " "
      }.joined()
    }

    /// A line as in `/proc/buddyinfo`: `Node 0, zone   Normal      1      0 …`, up to order 18 instead of Linux's 10.
    public func buddyInfoLine(node: UInt32, zone: String) -> String {
      "Node \(node), zone \(padded(zone, to: 8)) \(description)"
    }

    /// A line as in `extfrag/unusable_index`: the share of free memory that requests of each order cannot use.
    public func unusableIndexLine(node: UInt32, zone: String) -> String {
      indexLine(node: node, zone: zone, unusableIndexThousandths)
    }

    /// A line as in `extfrag/extfrag_index`: why requests of each order fail, -1.000 for those that do not.
    public func fragmentationIndexLine(node: UInt32, zone: String) -> String {
      indexLine(node: node, zone: zone, fragmentationIndexThousandths)
    }

    private func indexLine(node: UInt32, zone: String, _ index: (FrameOrder) -> Int) -> String {
      let columns = (0..<FrameOrder.count).map { order in
        let thousandths = index(FrameOrder(UInt8(order)))
        let fraction = String(thousandths.magnitude % 1000)
        return (thousandths < 0 ? "-" : "") + "\(thousandths.magnitude / 1000)."
          + String(repeating: "0", count: 3 - fraction.count) + fraction + " "
      }
      return "Node \(node), zone \(padded(zone, to: 8)) " + columns.joined()
    }

    private func padded(_ text: String, to width: Int) -> String {
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
  }

#endif
