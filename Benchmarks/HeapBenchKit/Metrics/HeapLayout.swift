public import Addresses
public import MemoryProtocols

/// How a heap's memory lies at one moment: what every fragmentation figure is computed from.
///
/// Offsets count from the heap's start, so that two runs of one workload give equal layouts wherever their memory
/// happens to be mapped. The layout ends where the heap's extent ends, that is at the highest byte it ever came to
/// use; memory beyond that was never touched and is no hole.
///
/// Invariant: the runs are not empty, in address order, apart from each other, and inside the extent.
public struct HeapLayout: Hashable, Sendable {
  /// A maximal stretch of free bytes.
  public struct FreeRun: Hashable, Sendable {
    /// Bytes from the heap's start.
    public let offset: UInt64
    /// Its length in bytes.
    public let byteCount: UInt64

    /// A run of `byteCount` bytes at `offset`.
    public init(offset: UInt64, byteCount: UInt64) {
      self.offset = offset
      self.byteCount = byteCount
    }
  }

  /// The bytes from the heap's start to the end of the highest block it ever had in use.
  public let extentByteCount: UInt64

  /// How many blocks are in use.
  public let usedBlockCount: UInt64

  /// The free bytes, as maximal runs in address order.
  public let freeRuns: [FreeRun]

  /// The sum of the free runs.
  public let freeByteCount: UInt64

  /// The longest free run, 0 when there is none.
  public let largestFreeByteCount: UInt64

  /// A layout with these runs; traps when they are not as the invariant says.
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
  /// What `heap` shows now, with offsets from `origin`, up to the extent it reports.
  ///
  /// Free blocks that adjoin, as a buddy heap's may, are one run.
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
