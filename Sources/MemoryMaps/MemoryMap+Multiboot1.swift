public import Addresses

// The information of a Multiboot 1 boot loader, such as GRUB or QEMU's -kernel: a structure whose flags say which of its
// fields hold something. Those used here: the sizes of lower and upper memory (flag 0), the modules (flag 3) and the
// memory map (flag 6), whose entries (base, length, type) each follow a word with their size. All little endian.
// Multiboot specification 0.6.96, section 3.3.

extension MemoryMap {
  /// Adds the memory map from the information that a Multiboot 1 boot loader passes, or, where it has none, the sizes
  /// of lower and upper memory. The modules and the information itself count as ``MemoryKind/bootloader``.
  ///
  /// - Parameters:
  ///   - address: The physical address that the boot loader passed.
  ///   - reader: Finds the bytes at a physical address.
  @discardableResult
  public mutating func add(
    multiboot1 address: PhysAddr, reader: BootPointerReader
  ) throws(MemoryMapError) -> MemoryMapReport {
    let information = try MemoryMap.withBytes(at: address.raw, 52, reader, Multiboot1Information.init)
    var report = MemoryMapReport()
    if let map = information.map {
      report = try MemoryMap.withBytes(at: UInt64(map.address), Int(map.byteCount), reader) {
        bytes throws(MemoryMapError) in
        try add(multiboot1Map: bytes)
      }
      try add(
        loaderData: UInt64(map.address), byteCount: UInt64(map.byteCount), number: report.entryCount, &report)
    } else if let (lower, upper) = information.kibibytes {
      try add(firmwareEntry: 0, byteCount: UInt64(lower) << 10, .usable, number: 0, &report)
      try add(firmwareEntry: 1 << 20, byteCount: UInt64(upper) << 10, .usable, number: 1, &report)
    } else {
      throw .noMemoryMap
    }
    try add(loaderData: address.raw, byteCount: 116, number: report.entryCount, &report)
    guard let modules = information.modules, modules.count > 0 else { return report }
    let byteCount = Int(modules.count) * 16
    try MemoryMap.withBytes(at: UInt64(modules.address), byteCount, reader) { bytes throws(MemoryMapError) in
      for module in 0..<Int(modules.count) {
        let start = bytes.littleEndian32(at: module * 16)
        let end = bytes.littleEndian32(at: module * 16 + 4)
        guard end > start else { continue }
        try add(loaderData: UInt64(start), byteCount: UInt64(end - start), number: report.entryCount, &report)
      }
    }
    try add(
      loaderData: UInt64(modules.address), byteCount: UInt64(byteCount), number: report.entryCount, &report)
    return report
  }

  /// Adds the entries of a Multiboot 1 memory map: what `mmap_addr` points to. Unknown types count as reserved.
  @discardableResult
  public mutating func add(multiboot1Map bytes: RawSpan) throws(MemoryMapError) -> MemoryMapReport {
    // Find what is wrong before anything is added.
    var offset = 0
    while offset < bytes.byteCount { offset = try endOfMultiboot1Entry(at: offset, of: bytes) }
    var report = MemoryMapReport()
    offset = 0
    var number = 0
    while offset < bytes.byteCount {
      try add(firmwareEntryAt: offset + 4, of: bytes, number: number, &report)
      offset = try endOfMultiboot1Entry(at: offset, of: bytes)
      number += 1
    }
    return report
  }

  /// The end of the entry at `offset`, whose first word is the size of the rest.
  private func endOfMultiboot1Entry(at offset: Int, of bytes: RawSpan) throws(MemoryMapError) -> Int {
    try bytes.require(offset + 4)
    let byteCount = Int(clamping: bytes.littleEndian32(at: offset))
    guard byteCount >= 20 && byteCount <= 4096 else { throw .entrySize(byteCount) }
    try bytes.require(offset + 4 + byteCount)
    return offset + 4 + byteCount
  }
}

/// The fields of the information that say where memory is.
private struct Multiboot1Information {
  /// How many KiB there are from address 0 and from 1 MiB.
  var kibibytes: (lower: UInt32, upper: UInt32)?
  var modules: (count: UInt32, address: UInt32)?
  var map: (byteCount: UInt32, address: UInt32)?

  init(_ bytes: RawSpan) {
    let flags = bytes.littleEndian32(at: 0)
    if flags & 1 != 0 { kibibytes = (bytes.littleEndian32(at: 4), bytes.littleEndian32(at: 8)) }
    if flags & 1 << 3 != 0 { modules = (bytes.littleEndian32(at: 20), bytes.littleEndian32(at: 24)) }
    if flags & 1 << 6 != 0 { map = (bytes.littleEndian32(at: 44), bytes.littleEndian32(at: 48)) }
  }
}
