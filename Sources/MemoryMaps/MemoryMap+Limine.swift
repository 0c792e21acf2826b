public import Addresses

// The memory map of the Limine boot protocol: the response to the memory map request has a revision, the number of
// entries, and the address of an array with the address of each entry (base, length, type). All addresses are virtual.
// All little endian. Limine boot protocol, "Memory Map Feature".

extension MemoryMap {
  /// Adds the memory map from the response to Limine's memory map request.
  ///
  /// The kernel's image and its modules count as ``MemoryKind/kernel``, Limine's own structures as
  /// ``MemoryKind/bootloader``; framebuffers and unknown types as reserved.
  ///
  /// - Parameters:
  ///   - response: The address that the boot loader wrote into the request.
  ///   - reader: Finds the bytes at a virtual address; a kernel that runs in Limine's address space returns the address.
  @discardableResult
  public mutating func add(
    limine response: VirtAddr, reader: BootPointerReader
  ) throws(MemoryMapError) -> MemoryMapReport {
    let (entryCount, array) = try MemoryMap.withBytes(at: UInt64(response.raw), 24, reader) { bytes in
      (bytes.littleEndian64(at: 8), bytes.littleEndian64(at: 16))
    }
    guard entryCount > 0 else { throw .noMemoryMap }
    // No machine has as many entries as there are frames in 4 GiB, and their size must fit an integer.
    guard entryCount < 1 << 20 else { throw .unreadable(address: array) }
    var report = MemoryMapReport()
    try MemoryMap.withBytes(at: array, Int(entryCount) * 8, reader) { pointers throws(MemoryMapError) in
      for entry in 0..<Int(entryCount) {
        try MemoryMap.withBytes(at: pointers.littleEndian64(at: entry * 8), 24, reader) {
          bytes throws(MemoryMapError) in
          try add(
            firmwareEntry: bytes.littleEndian64(at: 0), byteCount: bytes.littleEndian64(at: 8),
            MemoryKind(limineType: bytes.littleEndian64(at: 16)), number: entry, &report)
        }
      }
    }
    return report
  }
}

extension MemoryKind {
  /// The kind of a LIMINE_MEMMAP type.
  init(limineType type: UInt64) {
    switch type {
    case 0: self = .usable
    case 2: self = .acpiReclaimable
    case 3: self = .acpiNVS
    case 4: self = .bad
    case 5: self = .bootloader
    case 6: self = .kernel
    default: self = .reserved
    }
  }
}
