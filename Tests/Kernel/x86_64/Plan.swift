import Addresses
import BuddyFrames
import Machine
import MemoryMaps
import PageTables

typealias Format = X86FourLevel
typealias KernelFormat = X86FourLevel

/// Where everything is.
enum Plan {
  /// The kernel half has all memory from here on, and the image at this offset from its physical address.
  static let directMap: UInt = 0xFFFF_8000_0000_0000
  static let imageOffset: UInt = 0xFFFF_FFFF_8000_0000

  /// Stacks and whatever else the kernel allocates addresses for.
  static let areas = AddrRange(start: VirtAddr(0xFFFF_C000_0000_0000), byteCount: 64 << 30)

  /// Kernel addresses that the tests map themselves.
  static let testPages = areas.end + 1 << 30

  /// The heap, in every address space; in the lower half, as `LockedHeap` explains.
  static let heap = VirtAddr(0x7F00_0000_0000)

  /// What an address space manages.
  static let processes = AddrRange(start: VirtAddr(0x1000), end: VirtAddr(0x7FFF_FFFF_F000))

  /// What the boot tables map at the direct map.
  static let bootMapEnd = PhysAddr(4 << 30)

  /// The page of the local APIC's registers.
  static let devices: [1 of PhysAddr] = [PhysAddr(0xFEE0_0000)]

  static let hasMemoryTypes = true

  /// RET, three times NOP.
  static let returnInstruction: UInt32 = 0x9090_90C3

  /// Usable memory below which the tests have too little.
  static let memoryMinimum: UInt64 = 12 << 20

  /// How much `cpu_time` counts in a second, about.
  static let ticksPerSecond: UInt64 = 2_000_000_000
}

/// 1 GiB, where the processor has such pages.
func largestPage() -> PageSize { cpu_features() >> 26 & 1 == 1 ? .size1GiB : .size2MiB }

/// A page below 1 MiB, where the other processors start.
nonisolated(unsafe) private(set) var secondaryPage = PhysAddr.null

func takeEarlyMemory(_ map: inout MemoryMap) {
  let low = AddrRange(start: PhysAddr(4096), end: PhysAddr(640 << 10))
  let page = must("the map of memory is full") { () throws(MemoryMapError) in
    try map.allocate(byteCount: 4096, within: low)
  }
  guard let page else { stop("no page below 640 KiB is left for the other processors") }
  secondaryPage = page.start
}

/// The kernel half is part of each process's tables.
func shareKernel(_ table: borrowing KernelTable, with space: inout Space) throws(AddressSpaceError) {
  do throws(MapError) {
    try space.table.copyKernelHalf(from: table)
  } catch {
    stop("a new address space has no kernel half of its own")
  }
}

/// The kernel has no root register of its own.
func loadKernelTable(_ table: borrowing KernelTable) {}

/// Entered by PVH, or by Multiboot 2 with its magic number.
@c(kernel_main)
public func kernelMain(_ information: UInt32, _ magic: UInt32) {
  serial_start()
  var map = MemoryMap(in: AddrRange(start: VirtAddr(UInt(map_storage_address())), byteCount: 16384))
  let address = PhysAddr(UInt64(information))
  let options = must("the boot loader's information is malformed") { () throws(MemoryMapError) in
    magic == 0x36D7_6289 ? try readMultiboot(address, &map) : try readPVH(address, &map)
  }
  line(magic == 0 ? "0 PVH, 64-bit mode, upper half" : "0 Multiboot 2, 64-bit mode, upper half")
  boot(map, options)
}

private func readMultiboot(_ address: PhysAddr, _ map: inout MemoryMap) throws(MemoryMapError) -> BootOptions {
  let bytes = readable(address, Int(word(address)))
  try map.add(multiboot2: bytes.bytes)
  try map.add(AddrRange(start: address, byteCount: UInt64(bytes.count)), .bootloader)
  return BootOptions(in: bytes.bytes)
}

private func readPVH(_ address: PhysAddr, _ map: inout MemoryMap) throws(MemoryMapError) -> BootOptions {
  try map.add(pvh: address) { address, byteCount in
    address + UInt64(byteCount) <= Plan.bootMapEnd.raw ? direct(PhysAddr(address)) : nil
  }
  // The start info has the command line's address at byte 24. The text ends with a zero long before its 256th byte.
  let commandLine = readable(PhysAddr(UInt64(word(address + 24))), 256)
  return BootOptions(in: commandLine.bytes)
}

private func word(_ address: PhysAddr) -> UInt32 { direct(address).unsafePointer.load(as: UInt32.self) }

private func readable(_ address: PhysAddr, _ byteCount: Int) -> UnsafeRawBufferPointer {
  UnsafeRawBufferPointer(start: direct(address).pointer, count: byteCount)
}
