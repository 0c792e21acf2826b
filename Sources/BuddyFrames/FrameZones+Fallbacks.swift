import Assertions

extension FrameZones {
  /// Sets the zones that serve requests for a zone, best first, whatever their ranks.
  ///
  /// Traps when a number names no zone or appears twice.
  public mutating func setFallbacks(of zone: Int, to order: Span<Int>) {
    requireZone(zone)
    require(order.count <= count, "a zone can fall back on each zone once")
    for position in order.indices {
      requireZone(order[position])
      for earlier in 0..<position {
        require(order[earlier] != order[position], "a zone must come only once in a list of fallbacks")
      }
      // SAFETY: both are below the count of zones.
      unsafe list.fallback(zone, position).pointee = Int32(order[position])
    }
    end(of: zone, at: order.count)
  }

  /// Orders the fallbacks of all zones by the distances of their nodes, such as those in ACPI's SLIT: the nearest first,
  /// on each node the highest rank first, and of two zones alike the one with the lower number.
  ///
  /// - Parameter distance: The distance from a node to another, or to itself.
  public mutating func orderFallbacks(byDistance distance: (_ from: UInt32, _ to: UInt32) -> Int) {
    for zone in 0..<count { orderFallbacks(of: zone, distance) }
  }

  /// Lists the zones of no higher rank by distance, then rank, then number: an insertion sort.
  private mutating func orderFallbacks(of zone: Int, _ distance: (UInt32, UInt32) -> Int) {
    // SAFETY: all numbers here are those of zones, and positions are below their count.
    let node = unsafe list.zone(zone).pointee.node
    var length = 0
    for other in 0..<count where unsafe list.zone(other).pointee.rank <= list.zone(zone).pointee.rank {
      var position = length
      while position > 0, unsafe isBetter(other, than: Int(list.fallback(zone, position - 1).pointee), node, distance) {
        unsafe list.fallback(zone, position).pointee = list.fallback(zone, position - 1).pointee
        position -= 1
      }
      // SAFETY: as above.
      unsafe list.fallback(zone, position).pointee = Int32(other)
      length += 1
    }
    end(of: zone, at: length)
  }

  private func isBetter(_ zone: Int, than other: Int, _ node: UInt32, _ distance: (UInt32, UInt32) -> Int) -> Bool {
    // SAFETY: both are numbers of zones.
    let (zone, other) = unsafe (list.zone(zone), list.zone(other))
    let mine = unsafe distance(node, zone.pointee.node)
    let its = unsafe distance(node, other.pointee.node)
    return unsafe mine != its ? mine < its : zone.pointee.rank > other.pointee.rank
  }

  /// Ends a list of fallbacks before `position`.
  private func end(of zone: Int, at position: Int) {
    // SAFETY: the position is below the capacity.
    if position < list.capacity { unsafe list.fallback(zone, position).pointee = -1 }
  }

  /// Computes how many frames of each zone requests for higher zones must leave: the frames of the zones above it on the
  /// same node, up to the requested one, divided by its ``FrameZone/lowMemoryReserveRatio``.
  ///
  /// Adding a zone and changing a zone's banks call this.
  /// - Complexity: O(z³) for z zones.
  public mutating func updateLowMemoryReserves() {
    for zone in 0..<count {
      for preferred in 0..<count {
        // SAFETY: both are numbers of zones.
        unsafe list.reserve(zone, preferred).pointee = computedReserve(zone, preferred)
      }
    }
  }

  private func computedReserve(_ zone: Int, _ preferred: Int) -> UInt64 {
    // SAFETY: all numbers here are those of zones.
    let ratio = unsafe list.zone(zone).pointee.lowMemoryReserveRatio
    if ratio == 0 { return 0 }
    let (node, rank) = unsafe (list.zone(zone).pointee.node, list.zone(zone).pointee.rank)
    let preferredRank = unsafe list.zone(preferred).pointee.rank
    var frameCount: UInt64 = 0
    for other in 0..<count {
      // SAFETY: as above.
      let zone = unsafe list.zone(other)
      if unsafe zone.pointee.node == node, unsafe zone.pointee.rank > rank, unsafe zone.pointee.rank <= preferredRank {
        frameCount += unsafe zone.pointee.frames.managedFrameCount
      }
    }
    return frameCount / ratio
  }

  /// How many frames of a zone requests for zone `preferred` must leave, beyond its watermark.
  public func lowMemoryReserve(of zone: Int, for preferred: Int) -> UInt64 {
    requireZone(zone)
    requireZone(preferred)
    // SAFETY: both are numbers of zones.
    return unsafe list.reserve(zone, preferred).pointee
  }
}
