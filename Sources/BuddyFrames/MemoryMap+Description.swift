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

  extension MemoryMap: CustomStringConvertible {
    /// A line for each entry: `0x1000..<0x2000 usable`.
    public var description: String {
      (0..<count).map { "\(self[$0].range) \(self[$0].kind)" }.joined(separator: "\n")
    }
  }

  extension MemoryMapError: CustomStringConvertible {
    public var description: String {
      switch self {
      case .full: "the memory map has more than \(MemoryMap.capacity) entries; merge some before adding them"
      case .truncated(let byteCount, let needed):
        "the memory map ends after \(byteCount) bytes where it takes \(needed)"
      case .entrySize(let size): "the memory map has entries of \(size) bytes, a size its format does not know"
      case .tagType(let type): "a Multiboot 2 memory map has type 6, found a tag of type \(type)"
      case .tagSize(let size): "a Multiboot 2 tag says that it has \(size) bytes, fewer than its header"
      case .noMemoryMap: "the Multiboot 2 information has no memory map; ask the loader for one in the header"
      case .overflow(let entry): "entry \(entry) of the memory map ends past the last address"
      }
    }
  }

#endif
