public import Addresses

// The start info of the PVH boot protocol, with which Xen, QEMU, Firecracker and Cloud Hypervisor enter a kernel: magic,
// version, flags, number of modules, and the physical addresses of the modules, the command line and the RSDP; from
// version 1 on also address and number of memory map entries (base, length, type, reserved). All little endian. Xen's
// public header arch-x86/hvm/start_info.h.

extension MemoryMap {
  /// Adds the memory map of a PVH start info. The modules, the start info and its tables count as
  /// ``MemoryKind/bootloader``.
  ///
  /// - Parameters:
  ///   - address: The physical address that the kernel is entered with.
  ///   - reader: Finds the bytes at a physical address.
  @discardableResult
  public mutating func add(
    pvh address: PhysAddr, reader: BootPointerReader
  ) throws(MemoryMapError) -> MemoryMapReport {
    let info = try MemoryMap.withBytes(at: address.raw, 24, reader, PVHStartInfo.init)
    guard info.magic == 0x336E_C578 else { throw .magic(info.magic) }
    guard info.version >= 1 else { throw .noMemoryMap }
    let (mapAddress, entryCount) = try MemoryMap.withBytes(at: address.raw, 56, reader) { bytes in
      (bytes.littleEndian64(at: 40), bytes.littleEndian32(at: 48))
    }
    guard entryCount > 0 else { throw .noMemoryMap }
    let mapByteCount = Int(entryCount) * 24
    var report = MemoryMapReport()
    try MemoryMap.withBytes(at: mapAddress, mapByteCount, reader) { bytes throws(MemoryMapError) in
      for entry in 0..<Int(entryCount) {
        try add(firmwareEntryAt: entry * 24, of: bytes, number: entry, &report)
      }
    }
    try add(loaderData: mapAddress, byteCount: UInt64(mapByteCount), number: report.entryCount, &report)
    try add(loaderData: address.raw, byteCount: 56, number: report.entryCount, &report)
    guard info.moduleCount > 0 else { return report }
    let byteCount = Int(info.moduleCount) * 32
    try MemoryMap.withBytes(at: info.modules, byteCount, reader) { bytes throws(MemoryMapError) in
      for module in 0..<Int(info.moduleCount) {
        let start = bytes.littleEndian64(at: module * 32)
        let moduleByteCount = bytes.littleEndian64(at: module * 32 + 8)
        try add(loaderData: start, byteCount: moduleByteCount, number: report.entryCount, &report)
      }
    }
    try add(loaderData: info.modules, byteCount: UInt64(byteCount), number: report.entryCount, &report)
    return report
  }
}

/// The fields of a start info that every version has.
private struct PVHStartInfo {
  let magic: UInt32
  let version: UInt32
  let moduleCount: UInt32
  let modules: UInt64

  init(_ bytes: RawSpan) {
    magic = bytes.littleEndian32(at: 0)
    version = bytes.littleEndian32(at: 4)
    moduleCount = bytes.littleEndian32(at: 12)
    modules = bytes.littleEndian64(at: 16)
  }
}
