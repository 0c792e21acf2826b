import Addresses
import Machine
import MemoryMaps
import PageTables

typealias Format = Sv39
typealias KernelFormat = Sv39

/// Where everything is.
enum Plan {
  /// The kernel half has all memory from here on, and the image at this offset from its physical address.
  static let directMap: UInt = 0xFFFF_FFC0_0000_0000
  static let imageOffset: UInt = 0xFFFF_FFFF_0000_0000

  /// Stacks and whatever else the kernel allocates addresses for.
  static let areas = AddrRange(start: VirtAddr(0xFFFF_FFE4_0000_0000), byteCount: 64 << 30)

  /// Kernel addresses that the tests map themselves.
  static let testPages = areas.end + 1 << 30

  /// The heap, in every address space; in the lower half, as `LockedHeap` explains.
  static let heap = VirtAddr(0x38_0000_0000)

  /// What an address space manages.
  static let processes = AddrRange(start: VirtAddr(0x1000), end: VirtAddr(0x3F_FFFF_F000))

  /// What the boot tables map at the direct map.
  static let bootMapEnd = PhysAddr(1 << 37)

  /// The page of QEMU's test device.
  static let devices: [1 of PhysAddr] = [PhysAddr(0x10_0000)]

  /// This processor has no Svpbmt.
  static let hasMemoryTypes = false

  /// RET.
  static let returnInstruction: UInt32 = 0x0000_8067

  /// Usable memory below which the tests have too little.
  static let memoryMinimum: UInt64 = 12 << 20

  /// How much `cpu_time` counts in a second.
  static let ticksPerSecond: UInt64 = 10_000_000
}

func largestPage() -> PageSize { .size1GiB }

/// The other processors start in the image.
func takeEarlyMemory(_ map: inout MemoryMap) {}

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

/// Entered with this hart's identifier and the address of the device tree.
@c(kernel_main)
public func kernelMain(_ hart: UInt64, _ tree: UInt64) {
  serial_start()
  firstHart = hart
  var map = MemoryMap(in: AddrRange(start: VirtAddr(UInt(map_storage_address())), byteCount: 16384))
  let options = must("the device tree is malformed") { () throws(MemoryMapError) in
    try readDeviceTree(PhysAddr(tree), &map)
  }
  line("0 device tree, supervisor mode, upper half")
  boot(map, options)
}
