public import Addresses
import Assertions

extension BuddyFrames {
  /// The smallest range that holds all frames that are usable or may become usable; empty when there are none.
  ///
  /// This is the range of an allocator that starts from `map`, for ``tableByteCount(for:)``.
  public static func range(of map: MemoryMap) -> AddrRange<PhysAddr> {
    var hull: AddrRange<PhysAddr>?
    for index in 0..<map.count where map[index].kind == .usable || map[index].kind.isReclaimable {
      hull = AddrRange(start: hull?.start ?? map[index].range.start, end: map[index].range.end)
    }
    return hull?.alignedInward(to: PageSize.size4KiB.byteCount) ?? AddrRange(start: .null, end: .null)
  }

  /// An allocator for the usable memory of a machine.
  ///
  /// A frame is usable if every byte of it is. All other frames are reserved; ``reclaim(_:in:)`` frees the reclaimable
  /// ones.
  ///
  /// - Parameters:
  ///   - map: The machine's memory.
  ///   - tableMemory: Memory for the frame table of ``range(of:)``, as for ``init(over:tableIn:holding:)``. Where it
  ///     lies in usable memory, `map` must list it as ``MemoryKind/kernel``.
  ///   - content: What `tableMemory` holds.
  public init(memoryMap map: MemoryMap, tableIn tableMemory: AddrRange<VirtAddr>, holding content: FrameTableContent) {
    let range = BuddyFrames.range(of: map)
    self.init(over: range, tableIn: tableMemory, holding: content)
    var unusable = range.start
    for index in 0..<map.count where map[index].kind == .usable {
      let usable = map[index].range.alignedInward(to: PageSize.size4KiB.byteCount)
      if usable.isEmpty { continue }
      reserve(AddrRange(start: unusable, end: usable.start))
      unusable = usable.end
    }
    reserve(AddrRange(start: unusable, end: range.end))
  }

  /// Makes the memory of a reclaimable kind usable, here and in the map that the allocator was created from.
  ///
  /// Traps unless the kind is reclaimable and all its frames are reserved.
  ///
  /// - Returns: How many frames became free.
  public mutating func reclaim(_ kind: MemoryKind, in map: inout MemoryMap) -> UInt64 {
    require(kind.isReclaimable, "only ACPI tables and what the boot loader left can be reclaimed")
    let before = freeFrameCount
    let old = map
    map.replace(kind, with: .usable)
    for index in 0..<map.count where map[index].kind == .usable {
      let usable = map[index].range.alignedInward(to: PageSize.size4KiB.byteCount)
      for part in 0..<old.count where old[part].kind == kind {
        unreserveFrames(touching: old[part].range, in: usable)
      }
    }
    return freeFrameCount - before
  }

  /// Frees the frames of `usable` that overlap `part` and are still reserved.
  private mutating func unreserveFrames(touching part: AddrRange<PhysAddr>, in usable: AddrRange<PhysAddr>) {
    let touched = part.alignedOutward(to: PageSize.size4KiB.byteCount)
    guard var frames = usable.intersection(touched)?.intersection(range) else { return }
    // Two parts may share the frame at their border. Frame 0 stays reserved.
    while !frames.isEmpty, frames.start.isNull || isFree(firstFrame(of: frames)) {
      frames = AddrRange(start: firstFrame(of: frames).end, end: frames.end)
    }
    if !frames.isEmpty { unreserve(frames) }
  }

  private func firstFrame(of frames: AddrRange<PhysAddr>) -> AddrRange<PhysAddr> {
    AddrRange(start: frames.start, byteCount: PageSize.size4KiB.byteCount)
  }
}
