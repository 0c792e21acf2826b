public import Addresses
public import MemoryProtocols

/// The layout of a heap's memory at one moment, from which every fragmentation figure is computed.
///
/// Offsets count from the heap's start: two runs of one workload give equal layouts wherever their memory is mapped.
/// The layout ends with the heap's extent, at the highest byte that was ever in use. Memory beyond that was never
/// touched and is no hole.
///
/// Invariant: the runs are not empty, are in address order, do not touch each other, and lie inside the extent.
public struct HeapLayout: Hashable, Sendable {
  /// A maximal stretch of free bytes.
  public struct FreeRun: Hashable, Sendable {
    /// The distance from the heap's start, in bytes.
    public let offset: UInt64
    /// The run's length in bytes.
    public let byteCount: UInt64

    /// A run of `byteCount` bytes at `offset`.
    public init(offset: UInt64, byteCount: UInt64) {
      self.offset = offset
      self.byteCount = byteCount
    }
  }

  /// The bytes from the heap's start to the end of the highest block that was ever in use.
  public let extentByteCount: UInt64

  /// The number of blocks in use.
  public let usedBlockCount: UInt64

  /// The free bytes, as maximal runs in address order.
  public let freeRuns: [FreeRun]

  /// The bytes of all free runs.
  public let freeByteCount: UInt64

  /// The bytes of the longest free run; 0 without one.
  public let largestFreeByteCount: UInt64

  /// A layout with these runs. Traps when they break the invariant.
  public init(extentByteCount: UInt64, usedBlockCount: UInt64, freeRuns: [FreeRun]) {
    var end: UInt64 = 0
    var free: UInt64 = 0
    var largest: UInt64 = 0
    for (index, run) in freeRuns.enumerated() {
      precondition(run.byteCount > 0, "a free run must not be empty")
      precondition(index == 0 || run.offset > end, "free runs must be in address order and apart")
      end = run.offset + run.byteCount
      free += run.byteCount
      largest = max(largest, run.byteCount)
    }
    precondition(end <= extentByteCount, "a free run must not pass the extent")
    self.extentByteCount = extentByteCount
    self.usedBlockCount = usedBlockCount
    self.freeRuns = freeRuns
    self.freeByteCount = free
    self.largestFreeByteCount = largest
  }

  /// The bytes that are not free.
  public var usedByteCount: UInt64 { extentByteCount - freeByteCount }
}

extension HeapLayout {
  /// The layout of `heap` now, up to the extent that it reports, with offsets from `origin`.
  ///
  /// Adjacent free blocks, which a buddy heap may have, are one run.
  /// - Complexity: O(n) in the number of blocks.
  public init<Heap: HeapPolicy & ~Copyable>(of heap: borrowing Heap, from origin: VirtAddr) {
    let extent = UInt64(heap.statistics.peakExtentByteCount)
    var runs: [FreeRun] = []
    var usedBlockCount: UInt64 = 0
    heap.forEachBlock { block in
      guard block.isFree else {
        usedBlockCount += 1
        return
      }
      let start = UInt64(block.range.start.raw - origin.raw)
      let end = min(UInt64(block.range.end.raw - origin.raw), extent)
      guard start < end else { return }
      if let last = runs.last, last.offset + last.byteCount == start {
        runs[runs.count - 1] = FreeRun(offset: last.offset, byteCount: end - last.offset)
      } else {
        runs.append(FreeRun(offset: start, byteCount: end - start))
      }
    }
    self.init(extentByteCount: extent, usedBlockCount: usedBlockCount, freeRuns: runs)
  }
}
