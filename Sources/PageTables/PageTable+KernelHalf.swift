public import MemoryProtocols

// The kernel half: the part that is the same in every address space. The upper entries of every root refer to the same
// tables. No operation removes a table that a root's kernel entry refers to.

extension PageTable {
  /// Gives every empty kernel entry of the root a table. Later mappings there are then visible in every address space
  /// that copied the half. All or none: throws ``MapError/frameAllocationFailed``.
  /// - Complexity: O(256), and as many frames
  @inlinable
  public mutating func prepareKernelHalf(
    _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(MapError) {
    var count = 0
    for index in Format.kernelEntries where !Format.isPresent(rootTable[index]) {
      count += 1
    }
    guard var chain = TableChain.allocate(count, of: Format.granule, &allocator, mapper) else {
      throw .frameAllocationFailed
    }
    for index in Format.kernelEntries where !Format.isPresent(rootTable[index]) {
      rootTable.vacant(at: index).link(takeTable(&chain).entry)
    }
  }

  /// Makes the kernel half the same as that of `other`: the same tables, not copies. A recursive entry refers to this
  /// root instead.
  ///
  /// Throws ``MapError/alreadyMapped`` when this root has its own table there. Does nothing where the kernel has its
  /// own root.
  /// - Complexity: O(256)
  @inlinable
  public mutating func copyKernelHalf(from other: borrowing PageTable) throws(MapError) {
    for index in Format.kernelEntries {
      let entry = rootTable[index]
      guard Format.isPresent(entry) else { continue }
      // Each root has marks of its own.
      let difference = entry.bits ^ kernelEntry(index, of: other).bits
      if difference & ~Format.accessedBits != 0 { throw .alreadyMapped }
    }
    for index in Format.kernelEntries where !Format.isPresent(rootTable[index]) {
      rootTable.vacant(at: index).link(kernelEntry(index, of: other))
    }
  }

  /// The entry at an index of this root that makes it refer to the same table as another root.
  @inlinable
  func kernelEntry(_ index: Int, of other: borrowing PageTable) -> PageTableEntry {
    let entry = other.rootTable[index]
    let isRecursive =
      Format.kind(of: entry, level: Format.rootLevel) == .table && Format.address(in: entry) == other.root
    return isRecursive ? Format.table(entry, movedTo: root) : entry
  }
}
