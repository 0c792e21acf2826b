/// The physical memory for which a pair of frame requests is counted. The cost must not depend on it.
public enum FrameMemory: String, CaseIterable, Sendable {
  /// 1 GiB in one piece: ``BuddyFrames/BuddyFrames``.
  case oneGiB = "buddy-1-gib"
  /// 1 TiB in one piece.
  case oneTiB = "buddy-1-tib"
  /// Eight banks of 64 GiB, each followed by a hole of that size: ``BuddyFrames/SparseFrames``.
  case sparse = "sparse-1-tib"
}
