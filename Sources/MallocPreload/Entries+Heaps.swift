internal import Addresses
internal import CLabMalloc
internal import ProcessHeap

// Heaps of the caller's own. `heaplab.h` documents them.

@c(heaplab_heap_create)
public func entryHeapCreate(_ memory: UInt, _ byteCount: UInt, _ quota: UInt) -> UInt {
  do throws(RegionHeap.CreateError) {
    let options = RegionHeap.Options(memory: memory, byteCount: byteCount, quotaByteCount: quota)
    return try RegionHeap.create(options).address
  } catch {
    return failToCreate(error)
  }
}

@c(heaplab_heap_destroy)
public func entryHeapDestroy(_ heap: UInt) {
  if heap != 0 { RegionHeap(address: heap).destroy() }
}

@c(heaplab_heap_allocate)
public func entryHeapAllocate(_ heap: UInt, _ byteCount: UInt) -> UInt {
  ProcessHeap.failIfNull(RegionHeap(address: heap).allocate(byteCount: byteCount, alignment: 16))
}

@c(heaplab_heap_allocate_aligned)
public func entryHeapAllocateAligned(_ heap: UInt, _ alignment: UInt, _ byteCount: UInt) -> UInt {
  guard alignment.isPowerOfTwo else { return ProcessHeap.fail(EINVAL) }
  return ProcessHeap.failIfNull(RegionHeap(address: heap).allocate(byteCount: byteCount, alignment: alignment))
}

@c(heaplab_heap_reallocate)
public func entryHeapReallocate(_ heap: UInt, _ block: UInt, _ byteCount: UInt) -> UInt {
  ProcessHeap.failIfNull(RegionHeap(address: heap).reallocate(block, byteCount: byteCount))
}

@c(heaplab_heap_free)
public func entryHeapFree(_ heap: UInt, _ block: UInt) {
  if block != 0 { RegionHeap(address: heap).deallocate(block) }
}

@c(heaplab_heap_usable_size)
public func entryHeapUsableSize(_ heap: UInt, _ block: UInt) -> UInt {
  block == 0 ? 0 : RegionHeap(address: heap).usableByteCount(of: block)
}

@c(heaplab_heap_used)
public func entryHeapUsed(_ heap: UInt) -> UInt {
  RegionHeap(address: heap).inUseByteCount
}
