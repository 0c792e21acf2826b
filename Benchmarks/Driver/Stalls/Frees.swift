/// The slowest of many frees on one thread, in processor time: a busy machine does not count.
///
/// The thread's own clock is a system call and takes longer than most frees. So each free is timed by the monotonic clock,
/// which is read without a system call, and the thread's clock is read once for every batch of frees. The slowest free
/// of a batch took no more processor time than it took of either: the lesser of the two is its bound, and exceeds its
/// time by that of a few fast frees at most.
enum Frees {
  private static let batchCount = 16

  static func run(_ byteCount: Int, _ order: FreeOrder) -> (callCount: Int, slowestNanoseconds: Int) {
    var heap = FreedHeap(SizeRange(128, 1 << 10), byteCount: byteCount)
    heap.arrange(order)
    let callCount = heap.count
    var slowestNanoseconds = 0
    while heap.count > 0 {
      slowestNanoseconds = max(slowestNanoseconds, slowest(of: min(batchCount, heap.count), &heap))
    }
    return (callCount, slowestNanoseconds)
  }

  private static func slowest(of count: Int, _ heap: inout FreedHeap) -> Int {
    let threadStart = Clock.threadNanoseconds
    var slowest = 0
    var start = Clock.nanoseconds
    for _ in 0..<count {
      heap.deallocateNext()
      let end = Clock.nanoseconds
      slowest = max(slowest, end &- start)
      start = end
    }
    return min(slowest, Clock.threadNanoseconds &- threadStart)
  }
}
