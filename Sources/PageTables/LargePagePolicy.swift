public import Assertions

// When a part of an address space gets large pages.
//
// A 2 MiB page costs one entry of the TLB where 512 small ones cost 512, one fault for 512, and no table; but it
// takes 2 MiB of memory, touched or not. So the question is how much of a 2 MiB block a program will touch, and the best
// witness is what it has touched.
//
// - Span: a block is considered only when it lies wholly inside one private region.
// - Density: when every 32nd page of a block is filled, or written after a fork, the block's pages are counted. From `promotionCount` on, half of
//   the block by default, it becomes one page: what is there is copied, the rest is zeros. So a
//   large page wastes at most half of itself when it is made, and a program that touches memory here and
//   there stays with small pages.
// - Sequence: where the block below is one large page already, `sequentialCount` pages are enough, an eighth
//   by default: the program works its way up, and the rest will follow.
// - Giving up: when a page cannot be filled for lack of a frame, the first large page in the space that has untouched
//   (all zero) parts is split and those parts are freed. A large page that is partly unmapped, partly protected, or shared by a
//   fork is split as well; what becomes of it is then again a question of density.
//
// Ingens (OSDI 2016) promotes by utilization, too (90 %, asynchronously); Linux by default at the first touch.
// Half is where the waste of memory is bounded by a factor of two.

/// When a part of an address space gets large pages.
@frozen
public struct LargePagePolicy: Equatable, Sendable {
  /// The kinds of policies.
  @frozen
  public enum Mode: UInt8, Sendable {
    /// 4 KiB pages only.
    case never
    /// A 2 MiB page at the first touch, wherever one fits and a frame is free.
    case always
    /// By what was touched.
    case dynamic
  }

  /// Which kind this is.
  public var mode: Mode

  /// How many of the 512 pages of a block must be populated before it becomes one large page.
  public var promotionCount: Int

  /// How many must be, when the block below is a large page already.
  public var sequentialCount: Int

  /// A policy; traps unless the counts are 1 to 512.
  @inlinable
  public init(_ mode: Mode, promotionCount: Int = 256, sequentialCount: Int = 64) {
    require(
      (1...512).contains(promotionCount) && (1...512).contains(sequentialCount),
      "a large-page policy's thresholds must be 1 to 512 pages")
    self.mode = mode
    self.promotionCount = promotionCount
    self.sequentialCount = sequentialCount
  }

  /// 4 KiB pages only.
  @inlinable
  public static var never: LargePagePolicy { LargePagePolicy(.never) }
  /// A 2 MiB page wherever one fits.
  @inlinable
  public static var always: LargePagePolicy { LargePagePolicy(.always) }
  /// By what was touched.
  @inlinable
  public static var dynamic: LargePagePolicy { LargePagePolicy(.dynamic) }
}
