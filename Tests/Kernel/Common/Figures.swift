import Addresses
import BuddyFrames
import FirstFitHeap
import Machine
import PageTables

// What the basic operations take. Under QEMU's `-icount shift=0`, the counters of all three processors count instructions,
// and two runs of an image give the same numbers.

/// Shows a table of figures: instructions for each operation.
func measure() {
  cpu_start_count()
  line("instructions")
  show(
    "heap pair, 64 bytes",
    perRound(1000) { _ in
      if let block = kernelHeap.allocate(byteCount: 64, alignment: 16) { kernelHeap.deallocate(block) }
    })
  withMemory { memory in
    show(
      "frame pair, order 0",
      perRound(1000) { _ in
        if let frame = memory.frames.allocate(.size4KiB) { memory.frames.deallocate(frame) }
      })
    measureMappings(&memory)
  }
  must("frames must suffice for two processes", measureProcesses)
}

private func show(_ name: StaticString, _ count: UInt64) {
  show(count, width: 8)
  show("  ")
  line(name)
}

/// The instructions of each of `roundCount` calls, on average. The first call fills caches and is not counted.
private func perRound(_ roundCount: UInt64, _ body: (UInt64) -> Void) -> UInt64 {
  body(0)
  let start = cpu_count()
  for round in 1...roundCount { body(round) }
  return (cpu_count() - start) / roundCount
}

private func measureMappings(_ memory: inout Memory) {
  var tlb = Invalidator.everywhere
  guard let frame = memory.frames.allocate(.size4KiB) else { stop("no frame for a page") }
  func page(_ number: UInt64) -> Page<VirtAddr> { Page(start: Plan.testPages + UInt(number) * 4096, size: .size4KiB) }
  show(
    "map a page",
    perRound(400) { round in
      must("a free page must be mapped") { () throws(MapError) in
        try memory.table.map(page(round), to: frame, PageAttributes(.kernelData), &memory.frames).ignore()
      }
    })
  show(
    "unmap a page, and invalidate it",
    perRound(400) { round in
      _ = must("the page must be mapped") { () throws(UnmapError) in
        try memory.table.unmap(page(round)).flush(using: &tlb)
      }
    })
  memory.frames.deallocate(frame)
}

private func measureProcesses() throws(AddressSpaceError) {
  let parent = try Process(policy: .never)
  let range = try parent.addRegion(byteCount: 300 * 4096)
  func address(_ page: UInt64) -> UInt64 { UInt64(range.start.raw) + page * 4096 }
  parent.activate()
  show("page fault to return, a page of zeros", perRound(255) { memory_write(address($0), 1) })
  parent.deactivate()
  var child: Process?
  var endCount: UInt64 = 0
  let forkCount = perRound(20) { round in
    let start = cpu_count()
    child?.end()
    if round > 0 { endCount += cpu_count() - start }
    child = try? parent.fork()
  }
  show("fork of 256 pages", forkCount - endCount / 20)
  show("end of a process with 256 shared pages", endCount / 20)
  parent.activate()
  show("page fault to return, a copied page", perRound(255) { memory_write(address($0), 2) })
  parent.deactivate()
  child?.end()
  show("to user mode and back", perRound(100) { _ in _ = parent.run(user_sum_offset(), 0) })
  parent.end()
}
