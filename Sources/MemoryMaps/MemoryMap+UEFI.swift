import Addresses

// The memory map of UEFI's GetMemoryMap: descriptors of type, physical start, virtual start, number of 4 KiB pages and
// attributes, in a stride that the firmware says. All little endian. UEFI specification 2.10, sections 7.2.1 and 7.2.3.

extension MemoryMap {
  /// Adds the memory map that UEFI's `GetMemoryMap` returned last, before `ExitBootServices`.
  ///
  /// Conventional memory and that of boot services are usable: a kernel must have its own stack and page tables by then,
  /// since the firmware's lie there. What the loader allocated counts as ``MemoryKind/bootloader``. Persistent memory,
  /// memory that a guest has to accept first, memory set aside for a special purpose and memory that cannot be cached
  /// count as reserved, as do unknown types.
  ///
  /// - Parameters:
  ///   - table: The descriptors, one after the other.
  ///   - descriptorByteCount: The size of a descriptor as `GetMemoryMap` returned it: a multiple of 8 from 40 up. It is
  ///     larger than the structure in the specification's header files.
  @discardableResult
  public mutating func add(
    uefi table: RawSpan, descriptorByteCount: Int
  ) throws(MemoryMapError) -> MemoryMapReport {
    guard descriptorByteCount >= 40 && descriptorByteCount <= 4096 && descriptorByteCount % 8 == 0 else {
      throw .entrySize(descriptorByteCount)
    }
    var report = MemoryMapReport()
    for entry in 0..<(try table.entryCount(of: descriptorByteCount)) {
      let offset = entry * descriptorByteCount
      let pageCount = table.littleEndian64(at: offset + 24)
      let attributes = table.littleEndian64(at: offset + 32)
      let kind = MemoryKind(uefiType: table.littleEndian32(at: offset), attributes: attributes)
      let start = table.littleEndian64(at: offset + 8)
      // 2^52 pages or more are more than an address space has.
      let end = pageCount >> 52 == 0 ? MemoryMap.end(start, pageCount << 12) : nil
      try add(firmwareEntry: start, end: end, kind, number: entry, &report)
    }
    return report
  }
}

extension MemoryKind {
  /// The kind of an EFI_MEMORY_TYPE with its attributes.
  init(uefiType type: UInt32, attributes: UInt64) {
    let isWriteBack = attributes & 0x8 != 0
    let isSpecialPurpose = attributes & 0x4_0000 != 0
    let isRuntime = attributes & 1 << 63 != 0
    let isOurs = isWriteBack && !isSpecialPurpose && !isRuntime
    switch type {
    // Loader code and data.
    case 1, 2: self = isOurs ? .bootloader : .reserved
    // Code and data of boot services, conventional memory.
    case 3, 4, 7: self = isOurs ? .usable : .reserved
    case 8: self = .bad
    case 9: self = .acpiReclaimable
    case 10: self = .acpiNVS
    // Runtime services, devices, persistent and unaccepted memory.
    default: self = .reserved
    }
  }
}
