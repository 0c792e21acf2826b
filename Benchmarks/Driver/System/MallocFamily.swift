import CLabDriver

// The allocator under test is whatever `malloc` this process was started with. The driver calls its functions through
// pointers whose targets the compiler does not know, so the compiler cannot drop a pair of calls. In a loop the
// pointers stay in registers: a call costs the same for every allocator, and less than one through a linkage table.

/// A block of the allocator under test.
@safe struct Block: BitwiseCopyable {
  let start: UnsafeMutableRawPointer

  // SAFETY: keeping an address touches nothing.
  init(_ start: UnsafeMutableRawPointer) { unsafe self.start = start }

  /// Writes the first word, the least that a program does with a block. A null block ends the process here.
  @inline(__always) func touch(_ value: Int) {
    // SAFETY: every block has at least eight bytes.
    unsafe start.storeBytes(of: value, as: Int.self)
  }

  /// Writes the first and the last word of a block of `byteCount` bytes.
  @inline(__always) func touchEnds(_ value: Int, byteCount: Int) {
    touch(value)
    // SAFETY: the block has `byteCount` bytes, eight or more.
    unsafe (start + byteCount - 8).storeBytes(of: value, as: Int.self)
  }

  /// Writes a word at every multiple of `stride` bytes.
  @inline(__always) func touchEach(_ stride: Int, _ value: Int, byteCount: Int) {
    var offset = 0
    while offset < byteCount {
      // SAFETY: the block has `byteCount` bytes, a multiple of the stride, which is eight or more.
      unsafe (start + offset).storeBytes(of: value, as: Int.self)
      offset &+= stride
    }
  }

  /// Writes every byte from `offset` to `byteCount`.
  @inline(__always) func fill(from offset: Int = 0, to byteCount: Int) {
    // SAFETY: the block has `byteCount` bytes.
    unsafe memset(start + offset, 0xA5, byteCount - offset)
  }
}

/// The allocator under test.
@safe struct MallocFamily {
  private let functions: lab_malloc_family

  @inline(__always) init() { functions = lab_malloc_family_of_process() }

  // SAFETY: malloc asks nothing of its callers, nor does calloc.
  @inline(__always) func allocate(_ byteCount: Int) -> Block { unsafe Block(functions.allocate(byteCount)) }

  @inline(__always) func allocateZeroed(_ byteCount: Int) -> Block {
    // SAFETY: as above.
    unsafe Block(functions.allocate_zeroed(1, byteCount))
  }

  @inline(__always) func allocate(_ byteCount: Int, alignment: Int) -> Block {
    // SAFETY: aligned_alloc answers null to an alignment or a size that it does not know.
    unsafe Block(functions.allocate_aligned(alignment, byteCount))
  }

  /// A block of any size. Some allocators insist that `aligned_alloc` gets a multiple of the alignment.
  @inline(__always) func allocateAny(_ byteCount: Int, alignment: Int) -> Block {
    var start: UnsafeMutableRawPointer?
    // SAFETY: the out-parameter is this function's own.
    let code = unsafe functions.allocate_any_aligned(&start, alignment, byteCount)
    guard code == 0, let start = unsafe start else { stop("gets no aligned block,", number: byteCount, "bytes") }
    return unsafe Block(start)
  }

  @inline(__always) func reallocate(_ block: Block, _ byteCount: Int) -> Block {
    // SAFETY: the block is one of this family's, and its holder uses the new one from now on.
    unsafe Block(functions.reallocate(block.start, byteCount))
  }

  // SAFETY: the block is one of this family's, and its holder uses it no more.
  @inline(__always) func deallocate(_ block: Block) { unsafe functions.deallocate(block.start) }
}
