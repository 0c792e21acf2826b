import Addresses
import Machine
import MemoryMaps
import PageTables

/// Processes: the lower half, by TTBR0.
typealias Format = AArch64Lower
/// The kernel: the upper half, by TTBR1.
typealias KernelFormat = AArch64Upper

/// Where everything is.
enum Plan {
  /// The kernel half has all memory from here on, and the image at this offset from its physical address.
  static let directMap: UInt = 0xFFFF_0000_0000_0000
  static let imageOffset: UInt = 0xFFFF_FFFF_0000_0000

  /// Stacks and whatever else the kernel allocates addresses for.
  static let areas = AddrRange(start: VirtAddr(0xFFFF_8000_0000_0000), byteCount: 64 << 30)

  /// Kernel addresses that the tests map themselves.
  static let testPages = areas.end + 1 << 30

  /// The heap, in every address space; in the lower half, as `LockedHeap` explains.
  static let heap = VirtAddr(0x7F00_0000_0000)

  /// What an address space manages.
  static let processes = AddrRange(start: VirtAddr(0x1000), end: VirtAddr(0x7FFF_FFFF_F000))

  /// What the boot tables map at the direct map.
  static let bootMapEnd = PhysAddr(8 << 30)

  /// The pages of the interrupt controller's two parts, and of the serial port.
  static let devices: [3 of PhysAddr] = [PhysAddr(0x0800_0000), PhysAddr(0x0801_0000), PhysAddr(0x0900_0000)]

  static let hasMemoryTypes = true

  /// RET.
  static let returnInstruction: UInt32 = 0xD65F_03C0

  /// Usable memory below which the tests have too little.
  static let memoryMinimum: UInt64 = 12 << 20

  /// How much `cpu_time` counts in a second.
  static let ticksPerSecond: UInt64 = 62_500_000
}

func largestPage() -> PageSize { .size1GiB }

/// The other processors start in the image.
func takeEarlyMemory(_ map: inout MemoryMap) {}

/// The kernel half has a root of its own.
func shareKernel(_ table: borrowing KernelTable, with space: inout Space) throws(AddressSpaceError) {}

func loadKernelTable(_ table: borrowing KernelTable) {
  let root = KernelFormat.rootRegister(table.root, .untagged)
  cpu_set_kernel_root(root)
  secondary_set_roots(idleRoot, root)
}

/// Entered with the address of the device tree.
@c(kernel_main)
public func kernelMain(_ tree: UInt64) {
  serial_start()
  var map = MemoryMap(in: AddrRange(start: VirtAddr(UInt(map_storage_address())), byteCount: 16384))
  let options = must("the device tree is malformed") { () throws(MemoryMapError) in
    try readDeviceTree(PhysAddr(tree), &map)
  }
  line("0 device tree, EL1, upper half")
  boot(map, options)
}
