#if !hasFeature(Embedded)
  internal import Addresses

  // What a person reads when an operation on a region failed: the thing, the value and the way out. The Embedded build
  // has no descriptions, since strings allocate.

  /// An exact byte count as people read it: `64 KiB`, `3 GiB`, `4100 bytes`.
  func bytes(_ count: some BinaryInteger) -> String {
    let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")]
    guard count > 0, let unit = units.first(where: { count % (1 << $0.0) == 0 }) else { return "\(count) bytes" }
    return "\(count >> unit.0) \(unit.1)"
  }

  /// The message of every operation that would add or split a mapping when the process has too many.
  private let tooManyMappings =
    "the process has as many mappings as it may; work on larger parts, or raise vm.max_map_count"

  extension HugePageShortfall: CustomStringConvertible {
    public var description: String {
      switch self {
      case .sizeNotSupported(let size):
        return "the system has no pages of \(size); ask for a size that it has"
      case .poolTooSmall(let size, let needed, let free):
        let pool = "/sys/kernel/mm/hugepages/hugepages-\(size.byteCount / 1024)kB/nr_hugepages"
        return "\(needed) free pages of \(size) are needed and the pool has \(free); as root, raise \(pool) by "
          + "\(needed - free)"
      case .refused(let size, let error):
        return "the system refused pages of \(size): \(error)"
      }
    }
  }

  extension PageBacking: CustomStringConvertible {
    /// The page size, and why it is not the one asked for, if it is not.
    public var description: String {
      guard let shortfall else { return "\(size) pages" }
      return "\(size) pages in place of \(wanted): \(shortfall)"
    }
  }

  extension ReserveError: CustomStringConvertible {
    public var description: String {
      switch self {
      case .overAddressSpaceLimit(let byteCount, let limit, let used):
        "reserving \(bytes(byteCount)) of address space would pass the process's limit of \(bytes(limit)), of which "
          + "\(bytes(used)) are in use; raise it with `ulimit -v`, or reserve less"
      case .outOfAddressSpace(let byteCount):
        "the address space has no room for \(bytes(byteCount)); reserve less, or raise vm.max_map_count if the process "
          + "has many mappings"
      case .outOfMemory(let byteCount):
        "the system does not promise \(bytes(byteCount)) of memory; commit less, or see vm.overcommit_memory"
      case .hugePages(let shortfall):
        "no explicit huge pages: \(shortfall)"
      case .pageSizeNotSupported(let byteCount):
        "the system's pages have \(bytes(byteCount)); regions need a kernel with pages of 4 KiB"
      case .refused(let error):
        "the system refused to map memory: \(error)"
      }
    }
  }

  extension CommitError: CustomStringConvertible {
    public var description: String {
      switch self {
      case .outOfMemory(let byteCount):
        "the system does not promise \(bytes(byteCount)) of memory; commit less, or see vm.overcommit_memory and "
          + "vm.max_map_count"
      case .refused(let error): "the system refused to commit memory: \(error)"
      }
    }
  }

  extension DecommitError: CustomStringConvertible {
    public var description: String {
      switch self {
      case .pinned(let part): "some of \(part) is pinned; unpin it before giving its memory back"
      case .hugePagesStay(let size): "explicit pages of \(size) can only be given back at once, or with their region"
      case .tooManyMappings: MemoryRegions.tooManyMappings
      case .refused(let error): "the system refused to take memory back: \(error)"
      }
    }
  }

  extension ProtectError: CustomStringConvertible {
    public var description: String {
      switch self {
      case .outOfMemory(let byteCount):
        "the access of \(bytes(byteCount)) could not be changed: the system does not promise that much memory, or the "
          + "process has as many mappings as it may; see vm.overcommit_memory and vm.max_map_count"
      case .forbidden(let permissions):
        "the system's security policy forbids \(permissions); leave out what it forbids, which is often write with "
          + "execute"
      case .refused(let error): "the system refused to change the access: \(error)"
      }
    }
  }

  extension PrefaultError: CustomStringConvertible {
    public var description: String {
      switch self {
      case .outOfMemory(let byteCount):
        "memory ran out while \(bytes(byteCount)) were pre-faulted; pre-fault less, or raise the memory limit"
      case .notWritable(let part):
        "some of \(part) cannot be written, or explicit huge pages ran out; commit it before pre-faulting"
      case .refused(let error): "the system refused to pre-fault memory: \(error)"
      }
    }
  }

  extension PinError: CustomStringConvertible {
    public var description: String {
      switch self {
      case .overLimit(let shortfall): "\(shortfall)"
      case .notCommitted(let part): "some of \(part) is not committed; commit it before pinning, or pin it on fault"
      case .outOfMemory(let byteCount):
        "memory ran out while \(bytes(byteCount)) were pinned, and none of it is pinned now; pin less, or raise the "
          + "memory limit"
      case .refused(let error): "the system refused to pin memory: \(error)"
      }
    }
  }

  extension PinShortfall: CustomStringConvertible {
    public var description: String {
      "pinning \(bytes(wantedByteCount)) would pass the limit on pinned memory (RLIMIT_MEMLOCK) of "
        + "\(bytes(limitByteCount)), of which \(bytes(pinnedBeforeByteCount)) are in use; \(bytes(fittingByteCount)) of "
        + "it could be pinned, and none of it is; set `ulimit -l \(neededLimitKibibytes)` or more, or pin less"
    }
  }

  extension UnpinError: CustomStringConvertible {
    public var description: String {
      switch self {
      case .tooManyMappings: MemoryRegions.tooManyMappings
      case .refused(let error): "the system refused to unpin memory: \(error)"
      }
    }
  }

  extension HugePageAdviceError: CustomStringConvertible {
    public var description: String {
      switch self {
      case .notSupported: "the system has no transparent huge pages; go without, or ask for explicit ones"
      case .tooManyMappings: MemoryRegions.tooManyMappings
      case .refused(let error): "the system refused the advice about huge pages: \(error)"
      }
    }
  }

  extension InspectError: CustomStringConvertible {
    public var description: String {
      switch self {
      case .refused(let error): "the system does not show what is in memory: \(error); is /proc mounted?"
      }
    }
  }

  extension ReleaseError: CustomStringConvertible {
    public var description: String {
      switch self {
      case .refused(let error): "the system refused to take a region back: \(error)"
      }
    }
  }
#endif
