import Addresses
import BuddyFrames
import FirstFitHeap
import Machine
import PageTables
import SpinLocks
import Synchronization

/// Numbers behind an unfair and a fair lock.
private final class Counters {
  let unfair = Locked(0)
  let fair = LockedBy<TicketLock, Int>(0)
}

/// Where processors wait for each other.
private final class Meeting {
  let readyCount = Atomic<UInt>(0)
  let isOver = Atomic<Bool>(false)
}

func testProcessors() {
  test("interrupts: timers allocate in the middle of allocations") {
    onAllProcessors { _ in allocateUnderTimer() }
  }
  test("processors: a fair and an unfair lock, and the heap, under contention") {
    let counters = Counters()
    let rounds = 2000
    // A fair lock is handed to the processor that waits longest, which the host may not run just now.
    let fairRounds = 50
    onAllProcessors { number in
      for round in 0..<rounds {
        counters.unfair.withLock { $0 += 1 }
        if round < fairRounds { counters.fair.withLock { $0 += 1 } }
        guard let block = kernelHeap.allocate(byteCount: UInt(16 + round % 200), alignment: 16) else {
          return expect(false, "the heap must have room")
        }
        memory_write(UInt64(block.raw), UInt64(number))
        expect(memory_read(UInt64(block.raw)) == UInt64(number), "a block must belong to one processor")
        kernelHeap.deallocate(block)
      }
    }
    let unfair = counters.unfair.withLock { $0 }
    let fair = counters.fair.withLock { $0 }
    expect(unfair == rounds * processors.count, "the unfair lock must lose no count", UInt64(unfair))
    expect(fair == fairRounds * processors.count, "the fair lock must lose no count", UInt64(fair))
  }
  test("processors: a cache of frames for each", testFrameCaches)
  test("processors: each runs a process of its own") {
    onAllProcessors { number in
      must("frames must suffice for a process on each processor") { () throws(AddressSpaceError) in
        let process = try Process()
        let range = try process.addRegion(byteCount: 64 * 4096)
        let start = UInt64(range.start.raw)
        for _ in 0..<4 {
          expect(process.run(user_fill_offset(), start, 64) == 64, "a program can fill its region", UInt64(number))
          expect(process.run(user_sum_offset(), 100) == 5050, "and compute", UInt64(number))
        }
        let child = try process.fork()
        expect(child.run(user_check_offset(), start, 64) == 64, "its child must find all", UInt64(number))
        child.end()
        process.end()
      }
    }
  }
  if processors.count == 1 { return }
  test("processors: all forget a page of the kernel", testKernelShootdown)
  test("processors: a page taken away ends the program that uses it elsewhere", testUserShootdown)
}

private func allocateUnderTimer() {
  let processor = thisProcessor
  let start = processor.tickCount.load(ordering: .relaxed)
  processor.onTick = {
    if let block = kernelHeap.allocate(byteCount: 64, alignment: 16) { kernelHeap.deallocate(block) }
    withMemory { memory in
      if let frame = memory.frames.allocate(.size4KiB) { memory.frames.deallocate(frame) }
    }
  }
  setTimer(true)
  let passed = wait(upTo: 20) {
    for _ in 0..<20 {
      if let block = kernelHeap.allocate(byteCount: 100, alignment: 16) { kernelHeap.deallocate(block) }
      withMemory { memory in
        if let frame = memory.frames.allocate(.size4KiB) { memory.frames.deallocate(frame) }
      }
    }
    return processor.tickCount.load(ordering: .relaxed) - start >= 10
  }
  setTimer(false)
  processor.onTick = nil
  expect(passed, "10 timer interrupts must come", UInt64(processor.tickCount.load(ordering: .relaxed) - start))
}

/// A buddy of its own over a run of frames, behind a lock, with a cache for each processor.
private func testFrameCaches() {
  let order = FrameOrder(9)
  let run = withMemory { memory in memory.frames.allocate(order, from: memory.frames.homeZone) }
  guard let run else { return expect(false, "there must be a run of 2 MiB") }
  let range = AddrRange(start: run, byteCount: order.byteCount)
  let byteCount = BuddyFrames.tableByteCount(for: range)
  let table = UnsafeMutableRawPointer.allocate(byteCount: Int(byteCount), alignment: Int(BuddyFrames.tableAlignment))
  let frames = BuddyFrames(
    over: range, tableIn: AddrRange(start: VirtAddr(table), byteCount: byteCount), holding: .anything)
  let free = frames.freeFrameCount
  let shared = LockedFrames(frames)
  withUnsafePointer(to: shared) { shared in
    nonisolated(unsafe) let shared = shared
    onAllProcessors { number in
      var cache = FrameCache(for: shared.pointee)
      for _ in 0..<100 {
        var held: [PhysAddr] = []
        for _ in 0..<20 {
          guard let frame = shared.pointee.allocate(.min, through: &cache) else {
            expect(false, "each processor must get 20 frames")
            break
          }
          memory_write(UInt64(direct(frame).raw), UInt64(number))
          held.append(frame)
        }
        for frame in held {
          expect(memory_read(UInt64(direct(frame).raw)) == UInt64(number), "a frame must belong to one processor")
          shared.pointee.deallocate(frame, order: .min, through: &cache)
        }
      }
      shared.pointee.drain(&cache)
    }
    expect(shared.pointee.freeFrameCount == free, "every frame must come back", shared.pointee.freeFrameCount)
  }
  table.deallocate()
  withMemory { memory in memory.frames.deallocate(run, order: order) }
}

/// All others read a page, and must see its new frame once it was changed.
private func testKernelShootdown() {
  let page = TwoFacedPage()
  let meeting = Meeting()
  onAllProcessors { number in
    if number == 0 {
      waitUntil { meeting.readyCount.load(ordering: .acquiring) == UInt(processors.count - 1) }
      page.turn()
      meeting.isOver.store(true, ordering: .releasing)
      return
    }
    expect(memory_read(page.address) == 1, "a page must show its first frame")
    meeting.readyCount.wrappingAdd(1, ordering: .acquiringAndReleasing)
    waitUntil { meeting.isOver.load(ordering: .acquiring) }
    expect(memory_read(page.address) == 2, "another processor must have forgotten the page", UInt64(number))
  }
  page.end()
}

/// One processor runs a program that reads a page; another unmaps the page.
private func testUserShootdown() {
  must("frames must suffice for a process") { () throws(AddressSpaceError) in
    let process = try Process(policy: .never)
    let range = try process.addRegion(byteCount: 2 * 4096)
    let watched = AddrRange(start: range.start, byteCount: 4096)
    let meeting = Meeting()
    onAllProcessors { number in
      if number == 1 {
        expect(process.run(user_watch_offset(), UInt64(range.start.raw)) == nil, "the program must end by a fault")
        meeting.isOver.store(true, ordering: .releasing)
      }
      guard number == 0 else { return }
      process.whileActive { waitUntil { content(range, 1) > 1000 } }
      must("a page must be unmapped") { () throws(AddressSpaceError) in
        try process.change { space, frames, tlb throws(AddressSpaceError) in
          try space.unmap(watched, &frames, &tlb)
        }
      }
      if wait(upTo: 4, { meeting.isOver.load(ordering: .acquiring) }) { return }
      expect(false, "the program must notice that its page is gone")
      processors[1].shallLeave.store(true, ordering: .releasing)
      interruptOthers()
    }
    process.end()
  }
}

private func content(_ range: AddrRange<VirtAddr>, _ page: UInt64) -> UInt64 {
  memory_read(UInt64(range.start.raw) + page * 4096)
}
