import Addresses
import Assertions

/// The offsets of the parts of a frame table, in bytes from its start.
///
/// Frames are numbered from the multiple of 1 GiB at or below the range, the *origin*: a frame's number then has the
/// alignment of its address. Each part holds only the words and nodes that the range needs: levels 0 and 1 begin at the
/// range's first frame, the others at the origin.
///
/// ```
/// counts, addresses … | level 6 … level 3 | level 2 | level 1 | level 0 | descriptors
/// ```
struct FrameTableLayout {
  /// The multiple of 1 GiB at or below the first frame.
  let origin: PhysAddr
  /// The number of the first frame.
  let firstFrame: UInt64
  /// The number of the frame past the last; equal to `firstFrame` when there is none.
  let endFrame: UInt64

  /// How many pieces of 1 GiB the frames span.
  var gibibyteCount: UInt64 { (endFrame + 0x3FFFF) >> 18 }

  /// The level with a single node, 3 to 6: level 3 spans 64 GiB, level 4 spans 4 TiB.
  let topLevel: Int

  /// The counts of ``FreeRunCounts``: 40 words.
  static var counts: UInt { 0 }
  /// Four words with the addresses of the levels 3 to 6.
  static var upperLevels: UInt { 320 }
  /// A word with the number of the top level.
  static var topLevel: UInt { 352 }
  /// A word of ones.
  static var ones: UInt { 360 }
  /// The word of ``FreeRunIndex/cursor``.
  static var cursor: UInt { 368 }
  /// The two words of the open note: see ``FreeRunIndex/noteWord``.
  static var note: UInt { 376 }
  /// The node of the top level, at a multiple of a cache line.
  static var topNode: UInt { 448 }

  /// The starts of the levels 3 to 6; each ends where the level below starts.
  private(set) var upperLevels = InlineArray<4, UInt64>(repeating: 0)
  private(set) var level2: UInt64 = 0
  private(set) var level1: UInt64 = 0
  private(set) var level0: UInt64 = 0
  private(set) var descriptors: UInt64 = 0
  private(set) var byteCount: UInt64 = 0

  /// The layout for the whole frames in `range`.
  init(for range: AddrRange<PhysAddr>) {
    let frames = range.alignedInward(to: PageSize.size4KiB.byteCount)
    origin = frames.start.alignedDown(to: PageSize.size1GiB.byteCount)
    firstFrame = frames.isEmpty ? 0 : frames.start.byteCount(from: origin) >> 12
    endFrame = frames.isEmpty ? 0 : frames.end.byteCount(from: origin) >> 12

    var topLevel = 3
    while UInt64(1) << UInt64(6 * (topLevel + 1)) < endFrame { topLevel += 1 }
    require(
      topLevel <= 6, "a buddy allocator must span less than 16 PiB, found one of this many bytes", range.byteCount)
    self.topLevel = topLevel

    var offset = UInt64(FrameTableLayout.topNode)
    var level = topLevel
    while level >= 3 {
      upperLevels[level - 3] = offset
      offset += nodeCount(level: level) << 8
      level -= 1
    }
    level2 = offset
    offset += gibibyteCount << 7
    level1 = offset
    offset += (((endFrame + 0xFFF) >> 12) - (firstFrame >> 12)) << 6
    level0 = offset
    offset += (((endFrame + 0x3F) >> 6) - (firstFrame >> 6)) << 3
    offset = (offset + 63) & ~63
    descriptors = offset
    offset += (endFrame - firstFrame) << 4
    byteCount = offset
  }

  /// How many nodes a level from 3 to the top has: one for each 64 nodes of the level below, and at least one.
  func nodeCount(level: Int) -> UInt64 {
    let nodeShift = UInt64(6 * (level + 1))
    return max(1, (endFrame + (1 << nodeShift) - 1) >> nodeShift)
  }
}
