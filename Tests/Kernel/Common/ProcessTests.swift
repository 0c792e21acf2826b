import Addresses
import BuddyFrames
import Machine
import PageTables

/// The frames that are free, and how many a test lost.
private func withoutLosingFrames(_ body: () throws(AddressSpaceError) -> Void) {
  let before = withMemory { $0.frames.freeFrameCount }
  must("frames must suffice for the tests' processes", body)
  let after = withMemory { $0.frames.freeFrameCount }
  expect(after == before, "every frame must come back, lost", before &- after)
}

/// Reads and writes a page of the running process from the kernel.
private func content(_ range: AddrRange<VirtAddr>, _ page: UInt64) -> UInt64 {
  memory_read(UInt64(range.start.raw) + page * 4096)
}
private func setContent(_ range: AddrRange<VirtAddr>, _ page: UInt64, _ value: UInt64) {
  memory_write(UInt64(range.start.raw) + page * 4096, value)
}

func testProcesses() {
  test("processes: user mode, with a stack that grows by faults") {
    withoutLosingFrames { () throws(AddressSpaceError) in
      let process = try Process()
      let sum = process.run(user_sum_offset(), 1000)
      expect(sum == 500_500, "the program must compute its sum", sum ?? 0)
      let fillCount = UInt64(process.statistics.smallFillCount)
      expect(fillCount > 250, "its stack must have grown by 1 MiB, page by page", fillCount)
      process.end()
    }
  }
  test("processes: pages are filled with zeros when they are touched") {
    withoutLosingFrames { () throws(AddressSpaceError) in
      let process = try Process()
      let range = try process.addRegion(byteCount: 1 << 20)
      process.whileActive {
        for page in 0..<256 as Range<UInt64> {
          expect(content(range, page) == 0, "a new page must be zero", page)
        }
      }
      expect(process.run(user_fill_offset(), UInt64(range.start.raw), 256) == 256, "a program can fill its region")
      expect(process.run(user_check_offset(), UInt64(range.start.raw), 256) == 256, "and find what it wrote")
      process.end()
    }
  }
  test("processes: large pages where a program fills its memory") {
    withoutLosingFrames { () throws(AddressSpaceError) in
      let process = try Process()
      let range = try process.addRegion(byteCount: 2 << 20, alignment: 2 << 20)
      expect(process.run(user_fill_offset(), UInt64(range.start.raw), 512) == 512, "a program can fill its region")
      expect(process.statistics.promotionCount == 1, "it must have got a large page")
      expect(process.run(user_check_offset(), UInt64(range.start.raw), 512) == 512, "which has what it wrote")
      process.end()
    }
  }
  test("processes: protection, and a gap, end the program alone") {
    withoutLosingFrames { () throws(AddressSpaceError) in
      let process = try Process()
      let range = try process.addRegion(byteCount: 4 * 4096)
      let start = UInt64(range.start.raw)
      expect(process.run(user_fill_offset(), start, 4) == 4, "a program can fill its region")
      expect(process.run(user_fill_offset(), start, 5) == nil, "a write behind it must end the program")
      let half = AddrRange(start: range.start, byteCount: 2 * 4096)
      try process.change { space, frames, tlb throws(AddressSpaceError) in
        try space.protect(half, .userReadOnly, &frames, &tlb)
      }
      expect(process.run(user_check_offset(), start, 4) == 4, "what is protected keeps its content")
      expect(process.run(user_fill_offset(), start, 1) == nil, "a write to it must end the program")
      expect(process.run(user_sum_offset(), 4) == 10, "another program must run in the same process")
      expect(process.run(user_fill_offset(), UInt64(Plan.heap.raw), 1) == nil, "the kernel's heap must be out of reach")
      expect(process.run(user_fill_offset(), UInt64(Plan.directMap), 1) == nil, "the kernel half must be, too")
      expect(process.run(0x1000, 0) == nil, "code outside its page must not run")
      process.end()
    }
  }
  test("processes: a fork shares pages until either writes") {
    withoutLosingFrames { () throws(AddressSpaceError) in
      // Small pages alone: one that is split would be invalidated for itself.
      let parent = try Process(policy: .never)
      let range = try parent.addRegion(byteCount: 64 * 4096)
      parent.activate()
      for page in 0..<64 as Range<UInt64> { setContent(range, page, page) }
      let child = try parent.fork()
      // The parent's pages may be cached as writable. The fork must have ended that.
      for page in 0..<64 as Range<UInt64> where page % 2 == 0 { setContent(range, page, 1000 + page) }
      parent.deactivate()
      child.whileActive {
        for page in 0..<64 as Range<UInt64> {
          expect(content(range, page) == page, "the child must see what was there at the fork", content(range, page))
          if page % 4 == 3 { setContent(range, page, 2000 + page) }
        }
      }
      parent.whileActive {
        for page in 0..<64 as Range<UInt64> {
          let expected = page % 2 == 0 ? 1000 + page : page
          expect(content(range, page) == expected, "the parent must not see the child's writes", content(range, page))
        }
      }
      expect(parent.statistics.copyCount == 32, "each write must copy once", UInt64(parent.statistics.copyCount))
      child.end()
      parent.end()
    }
  }
  test("processes: 1,000 forks") {
    withoutLosingFrames { () throws(AddressSpaceError) in
      let parent = try Process(policy: .never)
      let range = try parent.addRegion(byteCount: 8 * 4096)
      parent.whileActive { for page in 0..<8 as Range<UInt64> { setContent(range, page, page) } }
      for round in 0..<1000 as Range<UInt64> {
        let child = try parent.fork()
        child.whileActive {
          setContent(range, round % 8, round)
          setContent(range, (round + 1) % 8, ~round)
        }
        parent.whileActive { setContent(range, (round + 2) % 8, (round + 2) % 8) }
        child.whileActive {
          expect(content(range, round % 8) == round, "a child must keep what it wrote", round)
          expect(content(range, (round + 3) % 8) == (round + 3) % 8, "and see what its parent wrote before", round)
        }
        child.end()
      }
      parent.whileActive {
        for page in 0..<8 as Range<UInt64> {
          expect(content(range, page) == page, "the parent must keep its content", content(range, page))
        }
      }
      parent.end()
    }
  }
  test("processes: memory that runs out ends one process, and comes back") {
    withoutLosingFrames { () throws(AddressSpaceError) in
      let process = try Process(policy: .never)
      let range = try process.addRegion(byteCount: 8 << 20)
      // The program's stack and code are there before the frames are gone.
      expect(process.run(user_sum_offset(), 4) == 10, "a program must run")
      let taken = takeAllFrames(but: 1024)
      expect(process.run(user_fill_offset(), UInt64(range.start.raw), 2048) == nil, "2,048 pages must not fit in 1,024")
      expect(process.run(user_sum_offset(), 4) == 10, "a program that needs none must still run")
      process.end()
      withMemory { memory in
        for block in taken { memory.frames.deallocate(block.address, order: block.order) }
      }
    }
  }
}

/// Takes blocks, the largest first, until fewer than `count` frames are left.
private func takeAllFrames(but count: UInt64) -> [(address: PhysAddr, order: FrameOrder)] {
  var taken: [(address: PhysAddr, order: FrameOrder)] = []
  var order = FrameOrder.max
  while true {
    let block = withMemory { memory -> PhysAddr? in
      if memory.frames.freeFrameCount < count + order.frameCount { return nil }
      return memory.frames.allocate(order, from: memory.frames.homeZone)
    }
    if let block {
      taken.append((block, order))
    } else if order == .min {
      return taken
    } else {
      order = FrameOrder(order.rawValue - 1)
    }
  }
}
