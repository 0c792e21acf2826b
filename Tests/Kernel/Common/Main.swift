import Addresses
import BuddyFrames
import FirstFitHeap
import Machine
import MemoryMaps
import PageTables
import VirtualAreas

nonisolated(unsafe) var options = BootOptions()
var offence: Offence { options.offence }

/// Everything from the loader's map of memory on.
func boot(_ map: consuming MemoryMap, _ options: BootOptions) -> Never {
  Kernel.options = options
  var memory = Memory(takingOver: map)
  let idle = must("no frames for the idle address space") { () throws(AddressSpaceError) in try memory.makeSpace() }
  idleRoot = idle.rootRegister
  loadKernelTable(memory.table)
  cpu_set_root(idleRoot)
  idleSpace = consume idle
  memory.frames.homeZone = memory.frames.count - 1

  let range = AddrRange(start: Plan.heap, byteCount: UInt(memory.heapFrames.byteCount))
  do throws(HeapInitError) {
    try kernelHeap.initHeap(range)
  } catch {
    stop(error == .alreadyInitialized ? "the heap was initialised before" : "the heap's range is too small")
  }
  show("4 heap: ")
  show(byteCount: UInt64(range.byteCount))
  line(", for Swift's classes, arrays and dictionaries")
  sharedMemory = consume memory

  for _ in 0..<options.processorCount { processors.append(Processor()) }
  let stack = makeStack()
  setStacks(stack, traps: makeStack(), ofProcessor: 0)
  machine_continue({ _ in continueBoot() }, UInt64(stack.end.raw), 0)
}

/// The idle address space lives as long as the machine.
nonisolated(unsafe) private var idleSpace: Space?

/// A kernel stack between guards.
func makeStack() -> AddrRange<VirtAddr> {
  withMemory { memory in
    var tlb = Invalidator.everywhere
    return must("no frames for a kernel stack") { () throws(VirtualAreaError) in
      if offence == .lostGuard { return try memory.areas.allocate(65536, in: &memory.table, &memory.frames, &tlb) }
      return try memory.areas.allocateStack(65536, in: &memory.table, &memory.frames, &tlb)
    }
  }
}

/// The rest, on a stack with guards.
private func continueBoot() -> Never {
  startDevices()
  Interrupts.enable()
  startOtherProcessors()
  line("5 processors: ", UInt64(processors.count), ", each with a stack between guard pages")
  if options.measures {
    measure()
    machine_exit(Status.passed)
  }
  line("6 tests")
  testAll()
  show(passedCount)
  line(" passed, ", failedCount, " failed")
  machine_exit(failedCount == 0 ? Status.passed : Status.failed)
}
