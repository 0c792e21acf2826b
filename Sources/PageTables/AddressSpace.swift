public import Addresses
public import Assertions
public import MemoryProtocols

/// What an address space takes its frames from: frames are counted, so that forks can share them, and can be cut, so
/// that large pages can become small ones.
public typealias CountedFrames = FrameAllocator & FrameReferenceCounts & FrameSplitting

/// The memory of one process: its regions, its page tables and the pages it has touched.
///
/// - `AddressSpace.swift`: what it holds, making one, taking it apart.
/// - `+Regions`: adding regions, finding room for them.
/// - `+Changes`: unmapping and changing permissions.
/// - `+Faults`: ``handleFault(_:_:fromUser:_:_:)``, filling, growing stacks, copying on write.
/// - `+Fork`: sharing everything with a child.
/// - `+LargePages`: promotion and demotion.
///
/// Every page of a private region is a frame of its own, counted by the frame allocator: one holder for each address
/// space that maps it. A page whose frame has several holders is mapped without write permission in all of them, whatever
/// the region allows; the first write faults and copies it, and the last holder writes in place. So, for every page of a
/// private region:
///
///     writable(page) ⇒ writable(region) ∧ holders(frame) = 1
///
/// Large pages have one holder always: a fork splits them first, so that a write after it copies 4 KiB, not 2 MiB.
///
/// An address space is not locked by itself; its owner does that. It allocates nothing but frames.
public struct AddressSpace<Format: PageTableFormat, Mapper: PhysMapper>: ~Copyable {
  /// The page tables. What is mapped in the range that the address space manages is the address space's to change.
  public var table: PageTable<Format, Mapper>

  /// The addresses that it manages.
  public let range: AddrRange<VirtAddr>

  /// When a part of it gets large pages.
  public var policy: LargePagePolicy

  /// What has happened so far.
  public var statistics = AddressSpaceStatistics()

  @usableFromInline var regions: RegionList

  /// An address space without regions.
  ///
  /// - Parameters:
  ///   - range: The addresses to manage, at multiples of 4 KiB; traps unless the format translates all of them, outside
  ///     the kernel half.
  ///   - mapper: How the program reaches the frames.
  ///   - largestPage: The largest page that the processor has, where that is not the format's.
  ///   - policy: When to use large pages.
  ///   - frames: Where two frames come from, the root and the list of regions.
  /// - Throws: ``AddressSpaceError/outOfFrames``.
  @inlinable
  public init(
    managing range: AddrRange<VirtAddr>, mapper: Mapper, largestPage: PageSize = Format.largestPage,
    policy: LargePagePolicy = .dynamic, _ frames: inout some CountedFrames & ~Copyable
  ) throws(AddressSpaceError) {
    requireManageable(range, Format.self)
    guard let regions = RegionList(mapper, &frames) else { throw .outOfFrames }
    do throws(MapError) {
      table = try PageTable(mapper: mapper, largestPage: largestPage, &frames)
    } catch {
      frames.deallocate(regions.frame)
      throw .outOfFrames
    }
    self.range = range
    self.policy = policy
    self.regions = regions
  }

  /// Gives back every frame that the address space holds: pages, tables and the list of regions. Pages that other
  /// address spaces share stay with those, fixed frames and the kernel half with their owners.
  ///
  /// No processor may be using the tables any more.
  /// - Complexity: O(pages + tables)
  @inlinable
  public consuming func deallocate(_ frames: inout some CountedFrames & ~Copyable) {
    for index in 0..<regions.count where regions[index].isPrivate {
      table.clearTree(regions[index].range) { frame in
        _ = frames.release(frame)
      }
    }
    frames.deallocate(regions.frame)
    table.deallocate(&frames)
  }

  /// How many regions there are.
  @inlinable
  public var regionCount: Int { regions.count }

  /// The region at an index, by address; traps unless the index is below ``regionCount``.
  @inlinable
  public func region(at index: Int) -> VirtualRegion {
    require(index >= 0 && index < regions.count, "no such region: index", UInt64(truncatingIfNeeded: index))
    return regions[index]
  }

  /// The region that an address lies in.
  /// - Complexity: O(log n) for n regions
  @inlinable
  public func region(containing address: VirtAddr) -> VirtualRegion? {
    let index = regions.firstIndex(endingAfter: address)
    guard index < regions.count, regions[index].start <= address else { return nil }
    return regions[index]
  }
}

/// Traps unless an address space can manage a range.
@inlinable
func requireManageable<Format: PageTableFormat>(_ range: AddrRange<VirtAddr>, _ format: Format.Type) {
  do throws(NonCanonical) {
    let span = try TableSpan.covering(range, Format.self)
    let index = slotIndex(span.isEmpty ? span.start : span.end - 4096, level: Format.rootLevel)
    require(
      !Format.kernelEntries.contains(index), "an address space must not manage the kernel half, found",
      UInt64(range.end.raw))
  } catch {
    fail("an address space must manage addresses that its tables translate, found", UInt64(error.page.start.raw))
  }
}

/// What has happened in an address space, and what it holds.
public struct AddressSpaceStatistics: Equatable, Sendable {
  /// Faults that were resolved.
  public var faultCount = 0
  /// Pages of 4 KiB that were filled with zeros.
  public var smallFillCount = 0
  /// Pages of 2 MiB that were filled with zeros.
  public var largeFillCount = 0
  /// Pages that were copied when written.
  public var copyCount = 0
  /// Pages that their last holder made writable in place.
  public var madeWritableCount = 0
  /// Blocks of small pages that became a large page.
  public var promotionCount = 0
  /// Large pages that became small ones.
  public var demotionCount = 0
  /// Frames of 4 KiB that were zeros only and were given back when frames ran short.
  public var reclaimedFrameCount = 0

  @inlinable
  public init() {}
}
