public import Addresses
public import Assertions

extension AddressSpace {
  /// A child with the same regions over the same pages, shared copy-on-write.
  ///
  /// Private pages lose their write permission in both spaces, each frame gets one more holder, and the first write on
  /// either side copies. Private large pages are split into small ones. Fixed frames are mapped in both spaces
  /// unchanged. Pages of shared objects stay with the parent; the child gets them from their source when it touches
  /// them. The kernel half is the parent's. From here on the child has its own policy and permissions.
  /// - Throws: ``AddressSpaceError/outOfFrames``, with everything unchanged.
  /// - Complexity: O(pages); each table is visited once, the upper ones twice.
  @inlinable
  public mutating func fork(
    _ frames: inout some CountedFrames & ~Copyable, _ tlb: inout some TLBInvalidator & ~Copyable,
    _ source: inout some PageSource & ~Copyable
  ) throws(AddressSpaceError) -> AddressSpace {
    // Plan and allocate: a root, a list of regions, and all tables.
    var plan = SharePlan()
    forEachRegion { region in
      if region.isShared { return }
      table.planShare(
        table.rootTable, level: Format.rootLevel, span(region.range), isPrivate: region.isPrivate, &plan)
    }
    guard var chain = TableChain.allocate(plan.tableCount, of: Format.granule, &frames, table.mapper) else {
      throw .outOfFrames
    }
    let child: AddressSpace
    do throws(AddressSpaceError) {
      guard let regions = regions.copy(&frames) else { throw .outOfFrames }
      child = try AddressSpace(
        managing: range, mapper: table.mapper, largestPage: table.largestPage, policy: policy, regions: regions,
        &frames)
    } catch {
      chain.deallocate(of: Format.granule, to: &frames, table.mapper)
      throw error
    }

    // Write: nothing can fail from here on.
    for index in Format.kernelEntries {
      child.table.rootTable.vacant(at: index).link(child.table.kernelEntry(index, of: table))
    }
    var next = regions.first
    while let region = next {
      if let pages = region.objectRange { source.open(pages) }
      if !region.isShared {
        table.share(
          table.rootTable, with: child.table.rootTable, level: Format.rootLevel, span(region.range),
          isPrivate: region.isPrivate, &chain, &frames, &tlb)
      }
      next = regions.first(after: region)
    }
    statistics.demotionCount += plan.splitCount
    tlb.invalidateAll()
    return child
  }

  /// A range that the space manages, as the tables see it.
  @inlinable
  func span(_ range: AddrRange<VirtAddr>) -> TableSpan {
    do throws(NonCanonical) {
      return try TableSpan.covering(range, Format.self)
    } catch {
      fail("an address space must manage addresses that its tables translate, found", UInt64(error.page.start.raw))
    }
  }
}
