import Addresses
import BuddyFrames
import Machine
import MemoryMaps
import MemoryProtocols
import PageTables
import SpinLocks
import VirtualAreas

typealias Space = AddressSpace<Format, OffsetPhysMapper>
typealias KernelTable = PageTable<KernelFormat, OffsetPhysMapper>

/// All memory of the machine, as the kernel manages it.
struct Memory: ~Copyable {
  var map: MemoryMap
  var frames: FrameZones
  var table: KernelTable
  var areas: VirtualAreas<OffsetPhysMapper>
  /// The frames of the heap, which every address space has.
  let heapFrames: AddrRange<PhysAddr>

  /// Runs `body` on the value in place, which an optional chain can call.
  mutating func run<Result: ~Copyable, Failure: Error>(
    _ body: (inout Memory) throws(Failure) -> Result
  ) throws(Failure) -> Result { try body(&self) }

  /// An address space with nothing but the kernel and its heap.
  mutating func makeSpace(policy: LargePagePolicy = .dynamic) throws(AddressSpaceError) -> Space {
    var space = try Space(
      managing: Plan.processes, mapper: table.mapper, largestPage: table.largestPage, policy: policy, &frames)
    do throws(AddressSpaceError) {
      try space.addRegion(heapFrames, .kernelData, as: .normal, at: Plan.heap, &frames)
      try shareKernel(table, with: &space)
      return space
    } catch {
      space.deallocate(&frames)
      throw error
    }
  }
}

/// One lock for all of it: a handler of page faults takes it with interrupts disabled.
let memoryLock = InterruptSafeLock<SpinLock, Interrupts>()
nonisolated(unsafe) var sharedMemory: Memory?

/// Waits for the lock and runs `body` on the machine's memory.
func withMemory<Result: ~Copyable, Failure: Error>(
  _ body: (inout Memory) throws(Failure) -> Result
) throws(Failure) -> Result {
  try memoryLock.withLock { () throws(Failure) in
    guard let result = try sharedMemory?.run(body) else { stop("memory is used before it is set up") }
    return result
  }
}

/// Where the direct map has a physical address. The boot tables have the lower ones at the same place.
func direct(_ address: PhysAddr) -> VirtAddr { VirtAddr(Plan.directMap + UInt(address.raw)) }

/// The frames of a part of the image, by the addresses that it is linked at.
func imageFrames(_ start: UInt64, _ end: UInt64) -> AddrRange<PhysAddr> {
  AddrRange(start: PhysAddr(imagePhysical(start)), end: PhysAddr(imagePhysical(end)))
}

/// What is linked at its physical address lies in the lower half.
private func imagePhysical(_ address: UInt64) -> UInt64 {
  address < UInt64(Plan.imageOffset) ? address : address - UInt64(Plan.imageOffset)
}
