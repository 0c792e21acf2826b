public import CLabMalloc
internal import ProcessHeap

// Heaps by options, and their nodes. `heaplab.h` documents them.

@c(heaplab_heap_create_with)
public func entryHeapCreateWith(_ given: UnsafePointer<heaplab_heap_options>?) -> UInt {
  var flags: UInt32 = 0
  // SAFETY: the caller's struct has as many bytes as it says; C copies no more than this version has.
  let result = unsafe lab_malloc_check_options(given, &flags)
  guard result == 0, let given = unsafe given else { return ProcessHeap.fail(EINVAL) }
  // SAFETY: the struct was checked, and is this version's.
  let options = unsafe given.pointee
  // SAFETY: numbers and pointers that are only passed on.
  let quota = unsafe options.quota
  var wanted = unsafe RegionHeap.Options(
    memory: UInt(bitPattern: options.memory), byteCount: UInt(bitPattern: options.byte_count),
    quotaByteCount: quota == 0 ? .max : UInt(bitPattern: quota))
  wanted.pins = flags & HEAPLAB_HEAP_PIN.rawValue != 0
  // SAFETY: as above.
  if flags & HEAPLAB_HEAP_NODE.rawValue != 0 { wanted.node = unsafe UInt(options.node) }
  if flags & HEAPLAB_HEAP_THP.rawValue != 0 { wanted.huge = .transparent }
  if flags & HEAPLAB_HEAP_2M.rawValue != 0 { wanted.huge = .explicit2MiB }
  // SAFETY: pointers are passed as numbers, as everywhere in these entries.
  wanted.nearQuota = unsafe unsafeBitCast(options.near_quota, to: RegionHeap.NearQuota?.self)
  wanted.context = unsafe UInt(bitPattern: options.context)
  do throws(RegionHeap.CreateError) {
    return try RegionHeap.create(wanted).address
  } catch {
    return failToCreate(error)
  }
}

/// Fails an entry that makes heaps.
func failToCreate(_ error: RegionHeap.CreateError) -> UInt {
  switch error {
  case .rangeTooShort, .invalidOptions: ProcessHeap.fail(EINVAL)
  case .outOfMemory: ProcessHeap.fail(ENOMEM)
  case .refused(let code): ProcessHeap.fail(code)
  }
}

/// Sets `errno`, and returns -1, unless a code is 0.
private func result(_ code: Int32) -> Int32 {
  if code == 0 { return 0 }
  lab_malloc_errno_set(code)
  return -1
}

@c(heaplab_heap_move)
public func entryHeapMove(_ heap: UInt, _ node: UInt32) -> Int32 {
  result(RegionHeap(address: heap).move(toNode: UInt(node)))
}

/// Counts a page, if its node has a place.
private func count(_ node: UInt, _ counts: UnsafeMutablePointer<UInt>?, _ nodeCount: UInt) {
  // SAFETY: the caller's array has so many places.
  if node < nodeCount { unsafe counts?[Int(node)] += 1 }
}

@c(heaplab_heap_count_pages)
public func entryHeapCountPages(_ heap: UInt, _ counts: UnsafeMutablePointer<UInt>?, _ nodeCount: UInt) -> Int32 {
  // SAFETY: as in `count`.
  for node in 0..<Int(nodeCount) { unsafe counts?[node] = 0 }
  // SAFETY: as above.
  return result(RegionHeap(address: heap).forEachPage { unsafe count($0, counts, nodeCount) })
}

@c(heaplab_count_pages)
public func entryCountPages(_ counts: UnsafeMutablePointer<UInt>?, _ nodeCount: UInt) -> Int32 {
  // SAFETY: as in `count`.
  for node in 0..<Int(nodeCount) { unsafe counts?[node] = 0 }
  // SAFETY: as above.
  return result(ProcessHeap.forEachPage { unsafe count($0, counts, nodeCount) })
}
