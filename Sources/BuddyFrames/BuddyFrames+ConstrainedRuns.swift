public import Addresses
import Assertions

// Runs that meet constraints. A candidate starts at the lowest address that is aligned and whose run crosses no
// boundary. If a frame of its run is in use, the next candidate lies behind that frame, at the next free one. Each
// step passes a run of used frames as a whole, so the cost depends on how many holes there are and not on their size.

extension BuddyFrames {
  /// Allocates `frameCount` contiguous frames that meet `constraints`, at the lowest address; nil when there are none.
  ///
  /// Unlike ``allocate(frameCount:)``, it finds runs of any length and at any multiple of the alignment, also where they
  /// consist of several blocks. `deallocate(_:)` with the range deallocates the run. Traps for 0 frames.
  ///
  /// - Complexity: O(h log n) for h holes between the bounds and n frames.
  public mutating func allocate(frameCount: UInt64, _ constraints: FrameRunConstraints) -> AddrRange<PhysAddr>? {
    require(frameCount > 0, "a run of frames must have at least one")
    guard let bounds = (constraints.bounds ?? range).alignedInward(to: 4096).intersection(range),
      frameCount <= bounds.byteCount >> 12
    else { return nil }
    let byteCount = frameCount << 12
    if let boundary = constraints.boundary, byteCount > boundary { return nil }
    var next = bounds.start
    while let start = next.checkedAlignedUp(to: constraints.alignment),
      let end = start.checkedAdd(byteCount), end <= bounds.end
    {
      if let boundary = constraints.boundary, start.raw & ~(boundary - 1) != (end.raw - 1) & ~(boundary - 1) {
        next = PhysAddr(end.raw - 1).alignedDown(to: boundary)
        continue
      }
      let run = AddrRange(start: start, end: end)
      guard let used = lowestUsedFrame(in: run) else {
        _ = allocate(at: run)
        return run
      }
      guard let free = index.lowestFree(from: used + 1) else { return nil }
      next = address(of: free)
    }
    return nil
  }

  /// The lowest frame in use in a run, nil when all are free.
  private func lowestUsedFrame(in run: AddrRange<PhysAddr>) -> UInt? {
    var pieces = alignedRuns(in: run)
    while var (frame, order) = pieces.next() {
      if index.isFree(frame, order: order) { continue }
      while order > 0 {
        order -= 1
        if index.isFree(frame, order: order) { frame += 1 << UInt(order) }
      }
      return frame
    }
    return nil
  }
}
