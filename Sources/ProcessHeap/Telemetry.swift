internal import Assertions
internal import CLabMalloc
internal import HeapBlocks
internal import HeapSpaces
internal import Synchronization
internal import ThreadHeaps

// The heap as seen from outside. A reader finds the table heaplab_telemetry_v1 by its name, and in the table the places
// of all figures by theirs; it then reads the process's memory and counts for itself. This process does nothing for it.
// Each place is taken from the field itself when the heap is set up: a change of a record moves the places with it.
//
// Some readers may not read another process's memory. For them HEAPLAB_TELEMETRY=1 keeps the figures in a page of
// /dev/shm, which slow paths renew.

enum Telemetry {
  private static var state: ProcessState { ProcessState() }

  /// Fills the table and makes the page, with the process's lock held.
  static func begin(_ space: HeapSpace) {
    space.describe(add)
    ThreadHeap(address: lab_malloc_empty_heap()).describe(add)
    OwnedHeap(address: lab_malloc_empty_heap()).describe(add)
    describe(add)
    lab_telemetry_publish()
    guard state.fields.settings.keepsTelemetryPage else { return }
    lab_telemetry_page_open()
    lab_malloc_at_exit { lab_telemetry_page_remove() }
  }

  /// Adds a word to the table.
  @inline(never)
  private static func add(_ name: StaticString, _ value: UInt) {
    // SAFETY: a static string has so many bytes.
    let code = unsafe name.utf8Start.withMemoryRebound(to: CChar.self, capacity: name.utf8CodeUnitCount) {
      unsafe lab_telemetry_add($0, UInt(name.utf8CodeUnitCount), value)
    }
    require(code == 0, "a word of telemetry must fit the table")
  }

  /// The words about the process.
  private static func describe(_ add: (StaticString, UInt) -> Void) {
    // SAFETY: here and below, only addresses are taken; nothing is read or written through the pointers.
    unsafe withUnsafePointer(to: state.fields.newestHeap) { add("process.newest_heap@", UInt(bitPattern: $0)) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: state.fields.sharedHeap) { add("process.shared_heap@", UInt(bitPattern: $0)) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: state.fields.mappedLiveCount) { add("process.mapped_count@", UInt(bitPattern: $0)) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: state.fields.mappedByteCount) { add("process.mapped@", UInt(bitPattern: $0)) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: state.fields.keptByteCount) { add("process.kept@", UInt(bitPattern: $0)) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: state.fields.refusedCount) { add("process.refused@", UInt(bitPattern: $0)) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: state.fields.sampleMean) { add("process.sample_mean@", UInt(bitPattern: $0)) }
    add("class.sizes", lab_malloc_block_sizes_address())
  }

  /// Gives a child of fork a page of its own.
  static func noteFork() {
    lab_telemetry_page_forget()
    if state.fields.settings.keepsTelemetryPage, state.space != 0 { lab_telemetry_page_open() }
  }

  /// Renews the page if it is old. A slow path calls it now and then.
  @inline(never)
  static func renewPage() {
    guard lab_telemetry_page_is_due() != 0 else { return }
    let statistics = ProcessHeap.statistics
    var page = heaplab_telemetry_page()
    page.committed = UInt64(statistics.committed_byte_count)
    page.live = UInt64(statistics.live_byte_count)
    page.mapped = UInt64(statistics.mapped_byte_count)
    page.mapped_count = UInt64(statistics.mapped_count)
    page.heap_count = UInt64(statistics.heap_count)
    page.span_count = UInt64(statistics.span_count)
    page.arena = UInt64(statistics.arena_byte_count)
    let space = ProcessHeap.processSpace
    page.quota = UInt64(space.quotaByteCount)
    page.commits = UInt64(space.commitCount)
    page.purged = UInt64(space.returnedByteCount)
    page.regrets = UInt64(space.regretCount)
    page.refused = UInt64(state.fields.refusedCount.load(ordering: .relaxed))
    ProcessHeap.forEachHeap { heap in
      page.cached += UInt64(heap.listedByteCount)
      page.slow_paths += UInt64(OwnedHeap(address: heap.address).fields.slowPathCount)
      page.regrets += UInt64(heap.regretCount)
    }
    // SAFETY: C copies the struct and keeps no pointer to it.
    unsafe lab_telemetry_page_write(&page)
  }
}

extension OwnedHeap {
  /// Names the words about a heap's record in the process.
  fileprivate func describe(_ add: (StaticString, UInt) -> Void) {
    // SAFETY: only addresses are taken, as above.
    unsafe withUnsafePointer(to: fields.older) { add("heap.older+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.slowPathCount) { add("heap.slow_paths+", UInt(bitPattern: $0) - address) }
  }
}
