/// A buffer that is allocated, touched and freed again and again, as a program does that works on one frame, one file or
/// one matrix at a time. What counts is whether its pages are there already.
enum Buffers {
  /// The distance of the written words. Memory comes in pages of this size or a multiple of it.
  private static let pageByteCount = 4096

  @inline(never) static func run(_ operationCount: Int, _ byteCount: Int) -> Elapsed {
    let heap = MallocFamily()
    return Clock.time {
      for operation in 0..<operationCount {
        let buffer = heap.allocate(byteCount)
        buffer.touchEach(pageByteCount, operation, byteCount: byteCount)
        heap.deallocate(buffer)
      }
    }
  }
}
