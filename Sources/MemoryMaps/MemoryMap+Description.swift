#if !hasFeature(Embedded)

  // How memory maps and their errors read in messages.

  extension MemoryKind: CustomStringConvertible {
    public var description: String {
      switch self {
      case .usable: "usable"
      case .acpiReclaimable: "ACPI reclaimable"
      case .bootloader: "boot loader"
      case .kernel: "kernel"
      case .acpiNVS: "ACPI NVS"
      case .reserved: "reserved"
      case .bad: "bad"
      }
    }
  }

  extension MemoryMap {
    /// A line for each entry: `0x1000..<0x2000 usable`, with the node where it is not 0.
    public var description: String {
      var lines: [String] = []
      for index in 0..<count {
        let node = self[index].node == 0 ? "" : ", node \(self[index].node)"
        lines.append("\(self[index].range) \(self[index].kind)\(node)")
      }
      return lines.joined(separator: "\n")
    }
  }

  extension MemoryMapError: CustomStringConvertible {
    public var description: String {
      switch self {
      case .full(let capacity):
        "the memory map has room for \(capacity) entries and needs more; move it to larger memory and add the table again"
      case .truncated(let byteCount, let needed):
        "the memory map ends after \(byteCount) bytes where it takes \(needed)"
      case .entrySize(let size): "the memory map has entries of \(size) bytes, a size its format does not know"
      case .tagType(let type): "a Multiboot 2 memory map has type 6, found a tag of type \(type)"
      case .tagSize(let size): "a table or tag says that it has \(size) bytes, fewer than its header"
      case .noMemoryMap: "the boot information has no memory map; ask the loader for one"
      case .magic(let found): "the table begins with 0x\(String(found, radix: 16)), not with its format's magic number"
      case .checksum: "the bytes of the ACPI table do not add up to 0; it is damaged, or not all of it was given"
      case .unreadable(let address):
        "the boot information points to 0x\(String(address, radix: 16)), which is not mapped"
      case .malformed(let offset): "the device tree breaks its format at offset \(offset)"
      }
    }
  }

  extension MemoryMapReport: CustomStringConvertible {
    /// `7 entries`, or `7 entries, of which 1 clipped and 2 skipped, the first of them number 3`.
    public var description: String {
      guard let firstFlawedEntry else { return "\(entryCount) entries" }
      return "\(entryCount) entries, of which \(clippedCount) clipped and \(skippedCount) skipped, the first of them "
        + "number \(firstFlawedEntry)"
    }
  }

#endif
