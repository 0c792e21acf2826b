#if !hasFeature(Embedded)

  extension FrameZone {
    /// The zone's line as in `/proc/buddyinfo`.
    public var buddyInfo: String { frames.freeBlocks.buddyInfoLine(node: node, zone: name.description) }
  }

  extension FrameZones {
    /// The free blocks of every zone, as `/proc/buddyinfo` shows them: a line for each zone, lowest number first.
    public mutating func buddyInfo() -> String {
      var lines = ""
      for zone in 0..<count { lines += withZone(zone) { $0.buddyInfo + "\n" } }
      return lines
    }
  }

#endif
