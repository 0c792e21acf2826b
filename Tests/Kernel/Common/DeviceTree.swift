import Addresses
import Machine
import MemoryMaps

/// Reads the memory and the options in the device tree at an address, which the boot tables map.
func readDeviceTree(_ address: PhysAddr, _ map: inout MemoryMap) throws(MemoryMapError) -> BootOptions {
  let start = direct(address).pointer
  let header = UnsafeRawBufferPointer(start: start, count: 8)
  let byteCount = try MemoryMap.byteCount(ofDeviceTree: header.bytes)
  let tree = UnsafeRawBufferPointer(start: start, count: byteCount)
  try map.add(deviceTree: tree.bytes)
  try map.add(AddrRange(start: address, byteCount: UInt64(byteCount)), .bootloader)
  return BootOptions(in: tree.bytes)
}
