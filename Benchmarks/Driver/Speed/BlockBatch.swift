/// A batch of blocks, in a block of its own: a link, a count and then the blocks.
@safe struct BlockBatch: BitwiseCopyable {
  static let capacity = 4096
  let block: Block
  private let words: UnsafeMutablePointer<Int>

  /// An empty batch in a new block of the allocator under test.
  init(_ heap: MallocFamily) {
    block = heap.allocate((Self.capacity + 2) * MemoryLayout<Int>.stride)
    // SAFETY: the block has room for the link, the count and the blocks, and nobody else uses it.
    unsafe words = block.start.bindMemory(to: Int.self, capacity: Self.capacity + 2)
    unsafe words[0] = 0
    unsafe words[1] = 0
  }

  init(_ words: UnsafeMutablePointer<Int>) {
    // SAFETY: the words are a batch's, whose block starts with them.
    block = unsafe Block(UnsafeMutableRawPointer(words))
    unsafe self.words = words
  }

  /// Adds a block; there must be room for it.
  @inline(__always) func add(_ block: Block) {
    // SAFETY: the count is below the capacity.
    unsafe words[2 &+ words[1]] = Int(bitPattern: block.start)
    unsafe words[1] &+= 1
  }

  /// Frees the blocks and the batch.
  @inline(__always) func deallocateAll(_ heap: MallocFamily) {
    // SAFETY: as many blocks were added as the count says.
    for index in 0..<(unsafe words[1]) {
      guard let start = unsafe UnsafeMutableRawPointer(bitPattern: words[2 &+ index]) else { continue }
      heap.deallocate(unsafe Block(start))
    }
    heap.deallocate(block)
  }

  // SAFETY: the first word of a batch is its link: another batch's address, or 0.
  var next: BlockBatch? {
    get { unsafe UnsafeMutablePointer(bitPattern: words[0]).map { unsafe BlockBatch($0) } }
    nonmutating set { unsafe words[0] = newValue.map { unsafe Int(bitPattern: $0.words) } ?? 0 }
  }
}
