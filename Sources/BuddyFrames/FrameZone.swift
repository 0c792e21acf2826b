import Addresses

/// A part of physical memory with its own allocator and watermarks.
public struct FrameZone: ~Copyable {
  /// The zone's name as in `/proc/buddyinfo`: DMA, DMA32, Normal.
  public let name: StaticString

  /// The NUMA node that the memory belongs to, as the firmware numbers it.
  public let node: UInt32

  /// How precious the memory is, 0 for the most: DMA 0, DMA32 1, Normal 2. Requests for a zone may be served by zones of
  /// its rank and below.
  public let rank: Int

  /// How many frames are kept back, and for which requests.
  public var watermarks: FrameWatermarks

  /// The share of this zone that requests for a zone of higher rank must leave: one frame for so many frames of the
  /// zones above, up to that one; 0 to leave none. See ``FrameZones/updateLowMemoryReserves()``.
  public let lowMemoryReserveRatio: UInt64

  /// The zone's frames.
  public var frames: SparseFrames

  /// Whether frames should be reclaimed: true once the zone falls below the low watermark, until it reaches the high
  /// one.
  public internal(set) var needsReclaim = false

  /// A zone with the frames of an allocator.
  public init(
    _ frames: consuming SparseFrames, name: StaticString, node: UInt32 = 0, rank: Int, watermarks: FrameWatermarks,
    lowMemoryReserveRatio: UInt64 = 0
  ) {
    self.name = name
    self.node = node
    self.rank = rank
    self.watermarks = watermarks
    self.lowMemoryReserveRatio = lowMemoryReserveRatio
    self.frames = frames
  }

  /// A block of `order` that leaves at least `reserve` frames free, or nil.
  mutating func allocate(_ order: FrameOrder, leaving reserve: UInt64) -> PhysAddr? {
    guard leaves(reserve, order.frameCount), let address = frames.allocate(order) else { return nil }
    noteLoss()
    return address
  }

  /// A run of frames that leaves at least `reserve` frames free, or nil.
  mutating func allocate(
    frameCount: UInt64, _ constraints: FrameRunConstraints, leaving reserve: UInt64
  ) -> AddrRange<PhysAddr>? {
    guard leaves(reserve, frameCount), let run = frames.allocate(frameCount: frameCount, constraints) else {
      return nil
    }
    noteLoss()
    return run
  }

  private func leaves(_ reserve: UInt64, _ frameCount: UInt64) -> Bool {
    frames.freeFrameCount >= reserve && frames.freeFrameCount - reserve >= frameCount
  }

  private mutating func noteLoss() {
    if frames.freeFrameCount < watermarks.low { needsReclaim = true }
  }

  mutating func deallocate(_ address: PhysAddr, order: FrameOrder) {
    frames.deallocate(address, order: order)
    noteGain()
  }

  mutating func deallocate(_ run: AddrRange<PhysAddr>) {
    frames.deallocate(run)
    noteGain()
  }

  mutating func release(_ frame: Page<PhysAddr>) -> Bool {
    guard frames.release(frame) else { return false }
    noteGain()
    return true
  }

  private mutating func noteGain() {
    if frames.freeFrameCount >= watermarks.high { needsReclaim = false }
  }
}
