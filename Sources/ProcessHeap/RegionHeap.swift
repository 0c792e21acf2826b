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
  }

  /// A heap over the `byteCount` bytes at `memory`, or over a mapping of its own when that is 0.
  public static func create(
    memory: UInt, byteCount: UInt, quotaByteCount: UInt
  ) throws(CreateError) -> RegionHeap {
    var start = memory
    var mappingByteCount: UInt = 0
    if memory == 0 {
      // With room for the bytes that rounding to granules cuts off.
      guard byteCount < UInt(Int.max) - Granule.byteCount else { throw .outOfMemory }
      mappingByteCount = SystemPages.rounded(max(byteCount, 1))
      guard let mapping = try? SystemPages.map(byteCount: mappingByteCount, alignment: Granule.byteCount) else {
        throw .outOfMemory
      }
      start = mapping
    }
    let (end, overflow) = start.addingReportingOverflow(memory == 0 ? mappingByteCount : byteCount)
    guard !overflow else { throw .rangeTooShort }
    let heap = GeneralHeap(over: AddrRange(start: VirtAddr(start), end: VirtAddr(end)), quotaByteCount: quotaByteCount)
    let isUsable = heap.isUsable
    let place = isUsable ? ProcessHeap.allocate(UInt(MemoryLayout<RegionHeapRecord>.size)) : 0
    guard place != 0 else {
      if memory == 0 { try? SystemPages.unmap(start, byteCount: mappingByteCount) }
      throw isUsable ? .outOfMemory : .rangeTooShort
    }
    let mapping = memory == 0 ? start : 0
    // SAFETY: a block of the process's heap, aligned to 16 and as long as the record.
    unsafe UnsafeMutablePointer<RegionHeapRecord>(bitPattern: place).unsafelyUnwrapped.initialize(
      to: RegionHeapRecord(heap: heap, mapping: mapping, mappingByteCount: mappingByteCount))
    return RegionHeap(address: place)
  }

  /// Destroys the heap and every block in it.
  public func destroy() {
    let (mapping, byteCount) = (record.mapping, record.mappingByteCount)
    if mapping != 0 { try? SystemPages.unmap(mapping, byteCount: byteCount) }
    ProcessHeap.deallocate(address)
  }

  /// A block at a multiple of `alignment`, a power of two; 0 when none fits.
  public func allocate(byteCount: UInt, alignment: UInt) -> UInt {
    record.heap.allocate(byteCount: byteCount, alignment: alignment)?.raw ?? 0
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

  /// The bytes of the blocks in use.
  public var inUseByteCount: UInt { record.heap.inUseByteCount }
}
