/// A process that hardly allocates: what having an allocator costs.
enum TrivialProcess {
  /// Allocates `percent` small blocks, writes them and frees them.
  ///
  /// - Returns: The number of blocks, and the resident bytes of the whole process afterwards, its code included.
  static func run(percent blockCount: Int) -> (blockCount: Int, residentByteCount: Int) {
    var held = HeldBlocks(capacity: blockCount)
    for _ in 0..<blockCount { held.allocate(SizeRange(16, 512).draw(&held.random)) }
    held.deallocateInOrder()
    return (blockCount, Residence.byteCount)
  }
}
