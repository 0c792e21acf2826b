public import Addresses
public import MemoryProtocols

// Zones as the allocator of page tables and address spaces: a frame of a page's size, from the home zone or those that
// it falls back on, and its holders in whichever zone it came from.

extension FrameZones: FrameAllocator {
  /// The lowest free frame of `size` in the first zone on the list of ``homeZone`` that may serve it, or nil. Its content
  /// is undefined.
  ///
  /// The request is ordinary: it stops at the zones' watermarks.
  /// - Complexity: As for ``allocate(_:from:_:)``.
  public mutating func allocate(_ size: PageSize) -> Page<PhysAddr>? {
    guard count > 0, let address = allocate(size.order, from: homeZone) else { return nil }
    return Page(start: address, size: size)
  }

  /// Deallocates a frame that was allocated with this size, whichever zone it came from; any other traps.
  /// - Complexity: As for ``deallocate(_:order:)``.
  public mutating func deallocate(_ frame: Page<PhysAddr>) { deallocate(frame.start, order: frame.size.order) }
}

extension FrameZones: FrameReferenceCounts {
  /// How many holders the frame has: 1 after its allocation. Traps unless it was allocated with this size.
  /// - Complexity: O(log b) for b banks, as for the other functions here.
  public func referenceCount(of frame: Page<PhysAddr>) -> UInt32 {
    // SAFETY: the zone exists.
    unsafe list.zone(zone(of: frame.start)).pointee.frames.referenceCount(of: frame)
  }

  /// Adds a holder. Traps unless the frame was allocated with this size, and past 2^32 - 1 holders.
  public mutating func retain(_ frame: Page<PhysAddr>) {
    // SAFETY: the zone exists, and nobody else uses it.
    unsafe list.zone(zone(of: frame.start)).pointee.frames.retain(frame)
  }

  /// Adds a holder to each frame that `frame` returns; traps as ``retain(_:)`` does.
  ///
  /// A search finds the zone once for all frames in one bank that follow each other.
  /// - Complexity: O(n + r log b) for n frames in r such runs
  public mutating func retain(_ count: Int, _ frame: (Int) -> Page<PhysAddr>?) {
    var region: FrameZoneList.Region?
    for index in 0..<count {
      guard let frame = frame(index) else { continue }
      let known = region.flatMap { $0.range.contains(frame.start) ? $0 : nil } ?? self.region(of: frame.start)
      region = known
      // SAFETY: the zone exists, and nobody else uses it.
      unsafe list.zone(known.zone).pointee.frames.retain(frame)
    }
  }

  /// Removes a holder. True when it was the last one; the frame is then free.
  public mutating func release(_ frame: Page<PhysAddr>) -> Bool {
    // SAFETY: the zone exists, and nobody else uses it.
    unsafe list.zone(zone(of: frame.start)).pointee.release(frame)
  }
}

extension FrameZones: FrameSplitting {
  /// Splits an allocated frame into frames of a smaller size, each with the same holders.
  public mutating func split(_ frame: Page<PhysAddr>, into size: PageSize) {
    // SAFETY: the zone exists, and nobody else uses it.
    unsafe list.zone(zone(of: frame.start)).pointee.frames.split(frame, into: size)
  }

  /// Joins the allocated frames of `size` that fill `frame`, each with one holder, into one frame.
  public mutating func join(_ frame: Page<PhysAddr>, from size: PageSize) {
    // SAFETY: the zone exists, and nobody else uses it.
    unsafe list.zone(zone(of: frame.start)).pointee.frames.join(frame, from: size)
  }
}
