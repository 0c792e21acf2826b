import Addresses
import BuddyFrames
import Machine
import PageTables
import VirtualAreas

func testTables() {
  test("tables: W^X, by faults") {
    let code = image_text_address()
    let constants = image_constants_address()
    let processor = thisProcessor
    expect(processor.probe(probe_read_address(), code) == 0, "code can be read")
    // What is there, in case that the write succeeds.
    let instructions = memory_read(code)
    expect(processor.probe(probe_write_address(), code, instructions) == nil, "code must not be writable")
    expect(processor.probe(probe_read_address(), constants) == 0, "constants can be read")
    expect(
      processor.probe(probe_write_address(), constants, memory_read(constants)) == nil, "constants must not be writable"
    )
    // A return instruction, in case that the jump there succeeds.
    let data = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
    data.pointee = Plan.returnInstruction
    variable_set(Plan.returnInstruction)
    cpu_synchronize_instructions()
    expect(
      processor.probe(probe_execute_address(), UInt64(UInt(bitPattern: data))) == nil, "the heap must not be executable"
    )
    let variable = variable_address()
    expect(processor.probe(probe_execute_address(), variable) == nil, "variables must not be executable")
    let alias = UInt64(direct(imageFrames(code, constants).start).raw)
    expect(
      processor.probe(probe_write_address(), alias, instructions) == nil, "nor must code be writable at the direct map")
    data.deallocate()
  }
  test("tables: no page of the kernel is writable and executable") {
    withMemory { memory in
      memory.table.forEachMapping { page, translation in
        expect(
          !translation.permissions.contains(.write | .execute), "W^X must hold everywhere", UInt64(page.start.raw))
      }
    }
  }
  test("tables: a guard page under each stack") {
    for _ in 0..<2 {
      let stack = makeStack()
      let processor = thisProcessor
      expect(processor.probe(probe_write_address(), UInt64(stack.start.raw), 1) == 0, "a stack's last page is there")
      expect(processor.probe(probe_write_address(), UInt64(stack.start.raw) - 8, 1) == nil, "below must be a guard")
    }
  }
  test("tables: an overflow of the stack is caught by its guard") {
    let function: @convention(c) (UInt64) -> UInt64 = { overflow($0) }
    let address = UInt64(UInt(bitPattern: unsafeBitCast(function, to: Int.self)))
    let end = UInt64(makeStack().end.raw)
    // Twice the stack. Without its guard, only stacks of the tests lie below.
    expect(thisProcessor.enter(address, stack: end, 256, 0, inUserMode: false) == nil, "the overflow must fault")
    expect(thisProcessor.enter(address, stack: end, 10, 0, inUserMode: false) == 10, "what fits must return")
  }
  test("tables: device registers are device memory") {
    withMemory { memory in
      for index in Plan.devices.indices {
        let translation = try? memory.table.translate(direct(Plan.devices[index]))
        // RISC-V without Svpbmt leaves the memory type to the platform.
        expect(
          translation?.memoryType == (Plan.hasMemoryTypes ? .device : .normal), "registers must not be cached",
          Plan.devices[index].raw)
      }
    }
  }
  test("tables: the processor forgets one page") {
    let page = TwoFacedPage()
    expect(memory_read(page.address) == 1, "a page must show its first frame")
    page.turn()
    expect(memory_read(page.address) == 2, "a page must show its second frame", memory_read(page.address))
    page.end()
  }
}

/// Recurses in frames of at least 512 bytes.
@inline(never)
private func overflow(_ depth: UInt64) -> UInt64 {
  if depth == 0 { return 0 }
  return withUnsafeTemporaryAllocation(byteCount: 512, alignment: 16) { buffer in
    buffer[0] = UInt8(truncatingIfNeeded: depth)
    memory_write(UInt64(UInt(bitPattern: buffer.baseAddress)), depth)
    return overflow(depth - 1) + 1
  }
}

/// A page of the kernel that first shows a frame full of ones, then one full of twos.
final class TwoFacedPage {
  let page: Page<VirtAddr>
  private let frames: [2 of Page<PhysAddr>]
  var address: UInt64 { UInt64(page.start.raw) }

  init() {
    (page, frames) = withMemory { memory in
      var frames: [2 of Page<PhysAddr>] = .init(repeating: Page(start: .null))
      for index in 0..<2 {
        guard let frame = memory.frames.allocate(.size4KiB) else { stop("no frame for a page") }
        frames[index] = frame
        memory.table.mapper.physToVirt(frame.start).unsafePointer
          .initializeMemory(as: UInt64.self, repeating: UInt64(index + 1), count: 512)
      }
      let page = Page(start: Plan.testPages, size: .size4KiB)
      must("a free page must be mapped") { () throws(MapError) in
        try memory.table.map(page, to: frames[0], PageAttributes(.kernelData), &memory.frames).ignore()
      }
      return (page, frames)
    }
  }

  /// Shows the second frame, on every processor.
  func turn() {
    withMemory { memory in
      var tlb = Invalidator.everywhere
      let old = must("the page must be mapped") { () throws(UnmapError) in
        try memory.table.unmap(page).flush(using: &tlb)
      }
      expect(old.start == frames[0].start, "the page must have had its first frame", old.start.raw)
      must("the page must be free") { () throws(MapError) in
        try memory.table.map(page, to: frames[1], PageAttributes(.kernelData), &memory.frames).ignore()
      }
    }
  }

  func end() {
    withMemory { memory in
      var tlb = Invalidator.everywhere
      _ = must("the page must be mapped") { () throws(UnmapError) in
        try memory.table.unmap(page).flush(using: &tlb)
      }
      for index in 0..<2 { memory.frames.deallocate(frames[index]) }
    }
  }
}
