/// Allocates a block, writes its first word and frees it: what an allocator costs when its caches are warm.
///
/// The loop adds a few instructions to the two calls, so an allocator's own count can be read off.
enum Pairs {
  @inline(never) static func run(_ operationCount: Int, _ byteCount: Int) -> Elapsed {
    let heap = MallocFamily()
    return Clock.time {
      var left = operationCount
      while left != 0 {
        let block = heap.allocate(byteCount)
        block.touch(left)
        heap.deallocate(block)
        left &-= 1
      }
    }
  }

  @inline(never) static func run(_ operationCount: Int, _ range: SizeRange) -> Elapsed {
    let heap = MallocFamily()
    let sizes = SizeCycle(range)
    return Clock.time {
      var left = operationCount
      while left != 0 {
        let block = heap.allocate(sizes[left])
        block.touch(left)
        heap.deallocate(block)
        left &-= 1
      }
    }
  }

  @inline(never) static func runZeroed(_ operationCount: Int, _ byteCount: Int) -> Elapsed {
    let heap = MallocFamily()
    return Clock.time {
      var left = operationCount
      while left != 0 {
        let block = heap.allocateZeroed(byteCount)
        block.touch(left)
        heap.deallocate(block)
        left &-= 1
      }
    }
  }

  @inline(never) static func run(_ operationCount: Int, _ byteCount: Int, alignment: Int) -> Elapsed {
    let heap = MallocFamily()
    return Clock.time {
      var left = operationCount
      while left != 0 {
        let block = heap.allocate(byteCount, alignment: alignment)
        block.touch(left)
        heap.deallocate(block)
        left &-= 1
      }
    }
  }
}
