import CLabDriver

/// What the allocator under test offers beyond the malloc family. A function of another library than `malloc`'s does not
/// count: the C++ library's sized `operator delete`, for one, forgets the size and calls `free`.
@safe struct MallocExtensions {
  private let functions: lab_malloc_extensions

  init() { functions = lab_malloc_extensions_find() }

  /// Whether the allocator has a free that takes the block's size.
  // SAFETY: comparing an address touches nothing.
  var hasSizedFree: Bool { unsafe functions.deallocate_sized != nil }

  /// Frees a block whose size the caller knows, by plain `free` where the allocator has nothing better.
  @inline(__always) func deallocate(_ block: Block, byteCount: Int) {
    // SAFETY: the block is one of the allocator's, of this size, and its holder uses it no more.
    if let deallocate = unsafe functions.deallocate_sized {
      unsafe deallocate(block.start, byteCount)
    } else {
      unsafe functions.deallocate(block.start)
    }
  }

  /// The bytes that the holder of a block may use. Ends the process where the allocator has no `malloc_usable_size`: the
  /// C library's does not know its blocks.
  @inline(__always) func usableByteCount(of block: Block) -> Int {
    // SAFETY: reading an address touches nothing.
    guard let usable = unsafe functions.usable_byte_count else { stop("finds no malloc_usable_size in the allocator") }
    // SAFETY: the block is a live one of the allocator's.
    return unsafe usable(block.start)
  }
}
