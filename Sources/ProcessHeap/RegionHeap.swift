internal import Addresses
internal import CLabPlatform
internal import GeneralHeap
internal import HeapSpaces
internal import MemoryProtocols
internal import MemoryRegions

/// A C program's own heap: a general heap, and its mapping.
struct RegionHeapRecord: ~Copyable {
  var heap: GeneralHeap
  /// The mapping that is unmapped with the heap, 0 when the memory is the caller's.
  let mapping: UInt
  let mappingByteCount: UInt
  /// The whole pages of the heap, and whether they are locked although they are the caller's.
  let pages: AddrRange<VirtAddr>
  let locksCallersPages: Bool
  /// What is asked before a request fails; nil for nothing, and without a quota.
  let nearQuota: RegionHeap.NearQuota?
  let context: UInt
}

/// A heap over one range, by the address of its record, which is a block of the process's heap. Addresses are numbers,
/// 0 for none.
public struct RegionHeap {
  /// The record's address: C's `heaplab_heap *`.
  public let address: UInt

  /// The heap with the record at `address`.
  public init(address: UInt) { self.address = address }

  private var record: RegionHeapRecord {
    // SAFETY: `create` put the record there, and callers promise not to use it after `destroy`.
    @inline(__always) unsafeAddress { unsafe UnsafePointer(bitPattern: address).unsafelyUnwrapped }
    @inline(__always) nonmutating unsafeMutableAddress {
      unsafe UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped
    }
  }

  /// Why a heap could not be made.
  public enum CreateError: Error {
    /// The range has no room for the heap's own records.
    case rangeTooShort
    /// The system has no memory for a mapping.
    case outOfMemory
    /// The options contradict each other, or a node is not the process's.
    case invalidOptions
    /// The system refuses pages of that kind, with an errno.
    case refused(Int32)
  }

  /// Asked with the heap's address, the bytes of a request that would fail, and the context. 1: try once more.
  public typealias NearQuota = @convention(c) (UInt, UInt, UInt) -> Int32

  /// What a heap is to be like.
  public struct Options {
    /// The caller's memory; 0 for a mapping of the heap's own.
    public var memory: UInt
    /// The bytes of the memory.
    public var byteCount: UInt
    /// The most bytes that the heap takes of it.
    public var quotaByteCount: UInt
    /// Whether all of it is locked in memory.
    public var pins = false
    /// The memory node that it lies on; nil for any.
    public var node: UInt?
    /// The pages behind it, beyond the system's choice.
    public var huge = RegionPages.any
    /// What is asked before a request fails.
    public var nearQuota: NearQuota?
    /// The callback's last argument.
    public var context: UInt = 0

    /// Options that ask for nothing in particular.
    public init(memory: UInt, byteCount: UInt, quotaByteCount: UInt) {
      self.memory = memory
      self.byteCount = byteCount
      self.quotaByteCount = quotaByteCount
    }
  }

  /// A heap over the caller's memory, or over a mapping of its own.
  public static func create(_ options: Options) throws(CreateError) -> RegionHeap {
    let (memory, byteCount) = (options.memory, options.byteCount)
    if memory != 0, options.huge == .explicit2MiB { throw .invalidOptions }
    var start = memory
    var mappingByteCount: UInt = 0
    if memory == 0 {
      // With room for the bytes that rounding to granules cuts off.
      guard byteCount < UInt(Int.max) - Granule.byteCount else { throw .outOfMemory }
      mappingByteCount = SystemPages.rounded(max(byteCount, 1))
      (start, mappingByteCount) = try RegionPages.map(byteCount: mappingByteCount, options.huge)
    }
    let (end, overflow) = start.addingReportingOverflow(memory == 0 ? mappingByteCount : byteCount)
    guard !overflow else { throw .rangeTooShort }
    let first = SystemPages.rounded(start)
    let pages = AddrRange(start: VirtAddr(first), end: VirtAddr(max(first, SystemPages.roundedDown(end))))
    do throws(CreateError) {
      try RegionPages.place(pages, options)
    } catch {
      if memory == 0 { try? SystemPages.unmap(start, byteCount: mappingByteCount) }
      throw error
    }
    let heap = GeneralHeap(
      over: AddrRange(start: VirtAddr(start), end: VirtAddr(end)), quotaByteCount: options.quotaByteCount)
    let isUsable = heap.isUsable
    let place = isUsable ? ProcessHeap.allocate(UInt(MemoryLayout<RegionHeapRecord>.size)) : 0
    guard place != 0 else {
      if memory == 0 { try? SystemPages.unmap(start, byteCount: mappingByteCount) }
      if memory != 0, options.pins { RegionPages.unpin(pages) }
      throw isUsable ? .outOfMemory : .rangeTooShort
    }
    let mapping = memory == 0 ? start : 0
    // SAFETY: a block of the process's heap, aligned to 16 and as long as the record.
    unsafe UnsafeMutablePointer<RegionHeapRecord>(bitPattern: place).unsafelyUnwrapped.initialize(
      to: RegionHeapRecord(
        heap: heap, mapping: mapping, mappingByteCount: mappingByteCount, pages: pages,
        locksCallersPages: memory != 0 && options.pins,
        nearQuota: options.quotaByteCount == .max ? nil : options.nearQuota, context: options.context))
    return RegionHeap(address: place)
  }

  /// Destroys the heap and every block in it.
  public func destroy() {
    let (mapping, byteCount) = (record.mapping, record.mappingByteCount)
    if record.locksCallersPages { RegionPages.unpin(record.pages) }
    if mapping != 0 { try? SystemPages.unmap(mapping, byteCount: byteCount) }
    ProcessHeap.deallocate(address)
  }

  /// A block at a multiple of `alignment`, a power of two; 0 when none fits.
  public func allocate(byteCount: UInt, alignment: UInt) -> UInt {
    if let block = record.heap.allocate(byteCount: byteCount, alignment: alignment) { return block.raw }
    // Outside of the heap's own work: the program may use the heap there.
    guard let nearQuota = record.nearQuota, nearQuota(address, byteCount, record.context) == 1 else { return 0 }
    return record.heap.allocate(byteCount: byteCount, alignment: alignment)?.raw ?? 0
  }

  /// A block with the content of `block`, which is freed. 0 when none fits; `block` then stays.
  public func reallocate(_ block: UInt, byteCount: UInt) -> UInt {
    if block == 0 { return allocate(byteCount: byteCount, alignment: 16) }
    if record.heap.resize(VirtAddr(block), toByteCount: byteCount) { return block }
    let moved = allocate(byteCount: byteCount, alignment: 16)
    if moved == 0 { return 0 }
    let kept = min(usableByteCount(of: block), byteCount)
    lab_platform_copy(moved, block, kept)
    deallocate(block)
    return moved
  }

  /// Frees a block.
  public func deallocate(_ block: UInt) { record.heap.deallocate(VirtAddr(block)) }

  /// How many bytes of a block may be used.
  public func usableByteCount(of block: UInt) -> UInt { record.heap.usableByteCount(of: VirtAddr(block)) }

  /// The heap's whole pages.
  var pages: AddrRange<VirtAddr> { record.pages }

  /// The bytes of the blocks in use.
  public var inUseByteCount: UInt { record.heap.inUseByteCount }
}
