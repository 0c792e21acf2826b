public import Addresses
public import Assertions
public import MemoryProtocols

/// The frame allocator of an address space. It counts frames, which lets forks share them, and splits them, which lets
/// large pages become small ones.
public typealias CountedFrames = FrameAllocator & FrameReferenceCounts & FrameSplitting

/// The memory of one process: its regions, its page tables and the pages it has touched.
///
/// - `AddressSpace.swift`: its state, creation and destruction.
/// - `+Regions`: adding regions and finding room for them.
/// - `+Changes`: unmapping and changing permissions.
/// - `+Faults`: ``handleFault(_:_:fromUser:_:_:_:)``, filling, growing stacks, copying on write.
/// - `+Fork`: sharing everything with a child.
/// - `+LargePages`: promotion and demotion.
/// - `+Objects`: pages of files and shared memory.
/// - `+WithoutObjects`: the operations that may meet such a page, for spaces that have none.
///
/// Every page of a private region has its own frame, which the frame allocator counts: one holder per address space
/// that maps it. A page whose frame has several holders is mapped without write permission in all of them, whatever the
/// region allows. The first write faults and copies the page; the last holder writes in place. So, for every page of a
/// private region:
///
///     writable(page) ⇒ writable(region) ∧ holders(frame) = 1
///
/// Large pages always have one holder: a fork splits them first, and a write after it copies 4 KiB, not 2 MiB.
///
/// An address space takes no lock; its owner does. It allocates nothing but frames.
public struct AddressSpace<Format: PageTableFormat, Mapper: PhysMapper>: ~Copyable {
  /// The page tables. Only the address space may change the mappings in the range that it manages.
  public var table: PageTable<Format, Mapper>

  /// The addresses that the space manages.
  public let range: AddrRange<VirtAddr>

  /// When parts of the space get large pages.
  public var policy: LargePagePolicy

  /// Counts of past events.
  public var statistics = AddressSpaceStatistics()

  /// The regions. No two neighbours could be one: a change merges what it makes alike.
  @usableFromInline var regions: RegionTree<VirtualRegion, Mapper>

  /// An address space without regions.
  ///
  /// - Parameters:
  ///   - range: The addresses to manage, at multiples of 4 KiB; traps unless the format translates all of them, outside
  ///     the kernel half.
  ///   - mapper: How the program reaches the frames.
  ///   - largestPage: The largest page of the processor, if it differs from the format's.
  ///   - policy: When to use large pages.
  ///   - frames: The allocator of two frames, for the root and the regions.
  /// - Throws: ``AddressSpaceError/outOfFrames``.
  @inlinable
  public init(
    managing range: AddrRange<VirtAddr>, mapper: Mapper, largestPage: PageSize = Format.largestPage,
    policy: LargePagePolicy = .dynamic, _ frames: inout some CountedFrames & ~Copyable
  ) throws(AddressSpaceError) {
    requireManageable(range, Format.self)
    guard let regions = RegionTree<VirtualRegion, Mapper>(mapper, &frames) else { throw .outOfFrames }
    try self.init(
      managing: range, mapper: mapper, largestPage: largestPage, policy: policy, regions: regions, &frames)
  }

  /// An address space with regions and nothing mapped. Frees the regions when there is no frame for the root.
  @inlinable
  init(
    managing range: AddrRange<VirtAddr>, mapper: Mapper, largestPage: PageSize, policy: LargePagePolicy,
    regions: consuming RegionTree<VirtualRegion, Mapper>, _ frames: inout some CountedFrames & ~Copyable
  ) throws(AddressSpaceError) {
    do throws(MapError) {
      table = try PageTable(mapper: mapper, largestPage: largestPage, &frames)
    } catch {
      regions.deallocate(&frames)
      throw .outOfFrames
    }
    self.range = range
    self.policy = policy
    self.regions = regions
  }

  /// Releases every frame that the address space holds: pages, tables and regions. Pages shared with other address
  /// spaces stay with those; fixed frames and the kernel half stay with their owners.
  ///
  /// The tables must no longer be in use by any processor.
  /// - Complexity: O(pages + tables)
  @inlinable
  public consuming func deallocate(
    _ frames: inout some CountedFrames & ~Copyable, _ source: inout some PageSource & ~Copyable
  ) {
    var tlb = NoTLB()
    var next = regions.first
    while let region = next {
      if region.isPrivate {
        table.clearTree(region.range) { frame in
          _ = frames.release(frame)
        }
      } else if region.isShared {
        takeBack(region, &frames, &tlb, &source)
      }
      if let pages = region.objectRange { source.close(pages) }
      next = regions.first(after: region)
    }
    regions.deallocate(&frames)
    table.deallocate(&frames)
  }

  /// How many regions there are.
  @inlinable
  public var regionCount: Int { regions.count }

  /// How many frames hold the regions.
  @inlinable
  public var regionFrameCount: Int { regions.frameCount }

  /// The region that contains an address.
  /// - Complexity: O(log n) for n regions
  @inlinable
  public func region(containing address: VirtAddr) -> VirtualRegion? {
    guard let region = regions.first(reaching: address), region.start <= address else { return nil }
    return region
  }

  /// Visits every region in address order.
  /// - Complexity: O(n log n) for n regions
  @inlinable
  public func forEachRegion(_ body: (VirtualRegion) -> Void) {
    var next = regions.first
    while let region = next {
      body(region)
      next = regions.first(after: region)
    }
  }
}

/// Traps unless an address space can manage a range.
@inlinable
func requireManageable<Format: PageTableFormat>(_ range: AddrRange<VirtAddr>, _ format: Format.Type) {
  require(
    Format.granule == .size4KiB, "an address space must have a granule of 4 KiB, found bytes:",
    Format.granule.byteCount)
  do throws(NonCanonical) {
    let span = try Format.Span.covering(range, Format.self)
    let index = Format.slotIndex(span.isEmpty ? span.start : span.end - 4096, level: Format.rootLevel)
    require(
      !Format.kernelEntries.contains(index), "an address space must not manage the kernel half, found",
      UInt64(range.start.raw &+ range.byteCount))
  } catch {
    fail("an address space must manage addresses that its tables translate, found", UInt64(error.page.start.raw))
  }
}

/// Counts of past events in an address space.
public struct AddressSpaceStatistics: Equatable, Sendable {
  /// Resolved faults.
  public var faultCount = 0
  /// 4 KiB pages filled with zeros.
  public var smallFillCount = 0
  /// 2 MiB pages filled with zeros.
  public var largeFillCount = 0
  /// Pages of memory objects mapped.
  public var objectFillCount = 0
  /// Pages copied on write.
  public var copyCount = 0
  /// Pages made writable in place for their last holder.
  public var madeWritableCount = 0
  /// Blocks of small pages promoted to a large page.
  public var promotionCount = 0
  /// Large pages split into small ones.
  public var demotionCount = 0
  /// All-zero 4 KiB frames freed when frames ran short.
  public var reclaimedFrameCount = 0

  /// Statistics of a new space: zero everywhere.
  @inlinable
  public init() {}
}
