public import Addresses
public import MemoryProtocols

// The regions of an address space: a sorted array of 32-byte records in a frame. A 4 KiB frame holds 128 of them. When
// it is full, a 2 MiB frame replaces it, which holds 65,536, the maximum of an address space. Look-up is a binary
// search; insertion moves the records above.

/// The regions of an address space, in address order, in memory from the frame allocator.
@frozen
@usableFromInline
struct RegionList {
  /// The frame that holds the records.
  @usableFromInline var frame: Page<PhysAddr>
  @usableFromInline var records: FrameArray<VirtualRegion>
  /// How many regions there are.
  @usableFromInline var count = 0

  /// An empty list, or nil when the allocator has no frame.
  @inlinable
  init?(_ mapper: borrowing some PhysMapper, _ frames: inout some FrameAllocator & ~Copyable) {
    guard let frame = frames.allocate(.size4KiB) else { return nil }
    self.frame = frame
    records = FrameArray(in: frame, mapper)
  }

  /// A list with the same regions, or nil when the allocator has no frame.
  @inlinable
  init?(
    copying other: RegionList, _ mapper: borrowing some PhysMapper, _ frames: inout some FrameAllocator & ~Copyable
  ) {
    guard let frame = frames.allocate(other.frame.size) else { return nil }
    self.frame = frame
    records = FrameArray(in: frame, mapper)
    count = other.count
    for index in 0..<count {
      records[index] = other.records[index]
    }
  }

  @inlinable
  subscript(index: Int) -> VirtualRegion {
    get { records[index] }
    nonmutating set { records[index] = newValue }
  }

  /// The index of the first region that ends after `address`, `count` when there is none.
  /// - Complexity: O(log n)
  @inlinable
  func firstIndex(endingAfter address: VirtAddr) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if records[middle].end > address { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Makes room for `more` regions; throws, with the list unchanged, when that needs a frame and there is none.
  @inlinable
  mutating func makeRoom(
    for more: Int, _ mapper: borrowing some PhysMapper, _ frames: inout some FrameAllocator & ~Copyable
  ) throws(AddressSpaceError) {
    if count + more <= records.capacity { return }
    guard frame.size == .size4KiB else { throw .tooManyRegions }
    guard let larger = frames.allocate(.size2MiB) else { throw .outOfFrames }
    let copy = FrameArray<VirtualRegion>(in: larger, mapper)
    for index in 0..<count {
      copy[index] = records[index]
    }
    frames.deallocate(frame)
    frame = larger
    records = copy
  }

  /// Inserts a region at an index; there must be room.
  /// - Complexity: O(n)
  @inlinable
  mutating func insert(_ region: VirtualRegion, at index: Int) {
    records.move(from: index, to: index + 1, count: count - index)
    records[index] = region
    count += 1
  }

  /// Removes a region.
  /// - Complexity: O(n)
  @inlinable
  mutating func remove(at index: Int) {
    records.move(from: index + 1, to: index, count: count - index - 1)
    count -= 1
  }

  /// Splits the region that strictly contains `address`, if any; there must be room.
  @inlinable
  mutating func split(at address: VirtAddr) {
    let index = firstIndex(endingAfter: address)
    guard index < count, records[index].start < address else { return }
    let region = records[index]
    records[index] = region.part(from: region.start, to: address)
    insert(region.part(from: address, to: region.end), at: index + 1)
  }
}
