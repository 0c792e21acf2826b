public import Assertions

// When a part of an address space gets large pages.
//
// A 2 MiB page costs one TLB entry instead of 512, one fault instead of 512, and no table; but it takes 2 MiB of
// memory, touched or not. The question is how much of a 2 MiB block a program will touch, and the best predictor is
// what it has touched.
//
// - Span: only a block that lies wholly inside one private region is considered.
// - Density: when a page whose index in its block is 31 modulo 32 is filled, or written after a fork, the block's
//   populated pages are counted. With `promotionCount` of them, by default half, the block becomes one large page:
//   populated pages are copied, the rest is zeros. So a new large page wastes at most half of itself, and a program
//   that touches memory sparsely keeps small pages.
// - Sequence: if the next lower block is already a large page, `sequentialCount` pages are enough, by default an
//   eighth: the program works its way up, and the rest will follow.
// - Demotion: when no frame is left to fill a page, the first large page in the space with untouched (all-zero) parts
//   is split and those parts are freed. A large page that is partly unmapped, partly protected, or shared by a fork is
//   split too; its density then decides again.
//
// Ingens (OSDI 2016) also promotes by utilization (90 %, asynchronously); Linux by default promotes at the first touch.
// Half bounds the waste of memory by a factor of two.

/// When parts of an address space get large pages.
@frozen
public struct LargePagePolicy: Equatable, Sendable {
  /// The kinds of policies.
  @frozen
  public enum Mode: UInt8, Sendable {
    /// 4 KiB pages only.
    case never
    /// A 2 MiB page at the first touch, wherever one fits and a frame is free.
    case always
    /// By the touched pages.
    case dynamic
  }

  /// The kind of the policy.
  public var mode: Mode

  /// How many of the 512 pages of a block must be populated before it becomes one large page.
  public var promotionCount: Int

  /// How many must be populated when the next lower block is already a large page.
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
  /// By the touched pages.
  @inlinable
  public static var dynamic: LargePagePolicy { LargePagePolicy(.dynamic) }
}
