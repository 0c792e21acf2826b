public import MemoryProtocols

// The kernel half: the part of every address space that is the same. Its tables hang off the upper entries of every
// root, so each root has the same entries, and the tables below are shared. Nothing ever takes a table away that a
// root's kernel entry refers to.

extension PageTable {
  /// Gives every empty entry of the root's kernel half a table, so that whatever is mapped there later is seen in every
  /// address space that copied the half. All or none: throws ``MapError/frameAllocationFailed``.
  /// - Complexity: O(256), and as many frames
  @inlinable
  public mutating func prepareKernelHalf(
    _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(MapError) {
    var count = 0
    for index in Format.kernelEntries where !Format.isPresent(rootTable[index]) {
      count += 1
    }
    guard var chain = TableChain.allocate(count, &allocator, mapper) else { throw .frameAllocationFailed }
    for index in Format.kernelEntries where !Format.isPresent(rootTable[index]) {
      rootTable.link(takeTable(&chain).entry, at: index)
    }
  }

  /// Makes the kernel half the same as that of `other`: the same tables, not copies.
  ///
  /// Throws ``MapError/alreadyMapped`` when this root refers to a table of its own there.
  /// Where the kernel has a root of its own, there is nothing to copy.
  /// - Complexity: O(256)
  @inlinable
  public mutating func copyKernelHalf(from other: borrowing PageTable) throws(MapError) {
    for index in Format.kernelEntries {
      let entry = rootTable[index]
      if Format.isPresent(entry), entry != other.rootTable[index] { throw .alreadyMapped }
    }
    for index in Format.kernelEntries {
      rootTable.link(other.rootTable[index], at: index)
    }
  }
}
