/// A block is allocated, its first word written, and the block freed: what an allocator takes when its caches are warm.
///
/// The loop around the two calls is five instructions, so that the count of an allocator's can be read off.
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
