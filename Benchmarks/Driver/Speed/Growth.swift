/// Vectors that grow by `realloc`. Each step writes the first and the last word, as an append would.
enum Growth {
  /// `count` vectors take turns to double, from 16 bytes to `byteCount`. None can grow in place for long. Then all are
  /// freed and start again.
  @inline(never) static func runVectors(_ operationCount: Int, count: Int, to byteCount: Int) -> Elapsed {
    let heap = MallocFamily()
    let vectors = MappedTable<Block>(count: count)
    return Clock.time {
      var left = operationCount
      while left > 0 {
        for index in 0..<count { vectors[index] = heap.allocate(16) }
        var size = 32
        while size <= byteCount, left > 0 {
          var index = 0
          while index < count, left > 0 {
            let vector = heap.reallocate(vectors[index], size)
            vector.touchEnds(index, byteCount: size)
            vectors[index] = vector
            left &-= 1
            index &+= 1
          }
          size *= 2
        }
        for index in 0..<count { heap.deallocate(vectors[index]) }
      }
    }
  }

  /// One vector grows by `step` bytes at a time to `byteCount`, is freed and starts again.
  @inline(never) static func runSteps(_ operationCount: Int, of step: Int, to byteCount: Int) -> Elapsed {
    let heap = MallocFamily()
    return Clock.time {
      var left = operationCount
      while left > 0 {
        var size = step
        var vector = heap.allocate(size)
        while size < byteCount, left > 0 {
          size += step
          vector = heap.reallocate(vector, size)
          vector.touchEnds(left, byteCount: size)
          left &-= 1
        }
        heap.deallocate(vector)
      }
    }
  }
}
