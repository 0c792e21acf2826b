public import Addresses
internal import CLabNUMA
public import MemoryRegions

/// Which nodes a region's memory comes from.
public enum Placement: Equatable, Sendable {
  /// The default of the thread that first writes a page: usually its own node.
  case unplaced
  /// These nodes and no others: when they run out of memory, the process swaps or is killed.
  case bound(to: NUMANodeSet)
  /// This node while it has memory, then others.
  case preferring(NUMANode)
  /// These nodes in turn, page by page; a transparent huge page counts as one page.
  case interleaved(over: NUMANodeSet)
}

extension MemoryRegion {
  /// Sets which nodes the memory of `part`, or of the whole region, comes from, and moves memory already in use there.
  ///
  /// With ``Placement/bound(to:)``, memory that cannot be moved (a device may hold it) is an error; later pages are
  /// still placed as requested. With the other placements it is not an error.
  public borrowing func place(
    _ placement: Placement, in part: AddrRange<VirtAddr>? = nil
  ) throws(NUMAError) {
    let part = checked(part)
    let nodes: NUMANodeSet
    let policy: lab_numa_policy
    switch placement {
    case .unplaced: (nodes, policy) = (NUMANodeSet(), LAB_NUMA_UNPLACED)
    case .bound(let set): (nodes, policy) = (set, LAB_NUMA_BOUND)
    case .preferring(let node): (nodes, policy) = (NUMANodeSet(node), LAB_NUMA_PREFERRED)
    case .interleaved(let set): (nodes, policy) = (set, LAB_NUMA_INTERLEAVED)
    }
    if policy != LAB_NUMA_UNPLACED, nodes.isEmpty { throw .noNodes }
    if let missing = nodes.firstMissing(in: NUMATopology().nodes) { throw .noSuchNode(missing) }
    var words = nodes.words
    // SAFETY: the part is mapped and belongs to the region; the set has the 16 words that the function expects.
    let code = unsafe withUnsafeMutableBytes(of: &words) { words in
      unsafe lab_numa_place(
        part.start.unsafePointer, part.byteCount, policy, words.assumingMemoryBound(to: UInt64.self).baseAddress)
    }
    // A system without nodes has all its memory on node 0.
    if code == 0 || NUMAError.isUnknownCall(code) { return }
    throw NUMAError(code, part)
  }

  /// The node that holds the page at `address`, nil when the page has no memory yet. Traps unless `address` lies in the
  /// region.
  public borrowing func node(of address: VirtAddr) throws(NUMAError) -> NUMANode? {
    let page = Page(containing: address, size: backing.size)
    let part = checked(page.range)
    var node: UInt32 = 0
    // SAFETY: the page is mapped, and the result goes to a local.
    let code = unsafe lab_numa_page_node(part.start.unsafePointer, &node)
    if code == 0 { return NUMANode(UInt16(node)) }
    if NUMAError.isUnknownCall(code) { return try resident(part) > 0 ? NUMANode(0) : nil }
    // No memory yet: ENOENT, or EFAULT for the zero page, which serves reads before the first write.
    if NUMAError.isNoMemory(code) { return nil }
    throw NUMAError(code, part)
  }

  /// How many pages of `part`, or of the whole region, have their memory on `node`.
  ///
  /// - Complexity: O(pages)
  public borrowing func pageCount(_ part: AddrRange<VirtAddr>? = nil, on node: NUMANode) throws(NUMAError) -> UInt {
    let part = checked(part)
    var count: UInt = 0
    // SAFETY: the part is mapped, and the result goes to a local.
    let code = unsafe lab_numa_page_count(
      part.start.unsafePointer, part.byteCount, UInt(backing.size.byteCount), UInt32(node.rawValue), &count)
    if code == 0 { return count }
    if NUMAError.isUnknownCall(code) {
      return node == NUMANode(0) ? try resident(part) / UInt(backing.size.byteCount) : 0
    }
    throw NUMAError(code, part)
  }

  /// How many bytes of `part` have memory.
  private borrowing func resident(_ part: AddrRange<VirtAddr>) throws(NUMAError) -> UInt {
    do throws(InspectError) {
      return try residentByteCount(part)
    } catch {
      switch error {
      case .refused(let error): throw .refused(error)
      }
    }
  }
}
