#if !hasFeature(Embedded)

  // How addresses read in messages. Strings allocate, so the Embedded build leaves this out.

  extension Addr {
    /// The address in hexadecimal.
    public var description: String { "0x" + String(raw, radix: 16) }
  }

  extension PhysAddr: CustomStringConvertible {}
  extension VirtAddr: CustomStringConvertible {}

  extension AddrRange: CustomStringConvertible {
    /// The range as `0x1000..<0x2000`, or with its last address, as `0x1000...0xffff`, when it has no end.
    public var description: String {
      let bound = start <= wrappedEnd ? "..<0x\(String(end.raw, radix: 16))" : "...0x\(String(last.raw, radix: 16))"
      return "0x\(String(start.raw, radix: 16))\(bound)"
    }
  }

  extension PageSize: CustomStringConvertible {
    /// The size as `4 KiB`.
    public var description: String {
      switch self {
      case .size4KiB: "4 KiB"
      case .size16KiB: "16 KiB"
      case .size64KiB: "64 KiB"
      case .size2MiB: "2 MiB"
      case .size32MiB: "32 MiB"
      case .size512MiB: "512 MiB"
      case .size1GiB: "1 GiB"
      }
    }
  }

  extension FrameOrder: CustomStringConvertible {
    public var description: String { "order \(rawValue)" }
  }

  extension Page: CustomStringConvertible {
    /// The page as `4 KiB page at 0x1000`.
    public var description: String { "\(size) page at 0x\(String(start.raw, radix: 16))" }
  }

  extension MemPerm: CustomStringConvertible {
    /// The permissions as `rwxu`, with a dash for each missing one.
    public var description: String {
      let letters: [(MemPerm, String)] = [(.read, "r"), (.write, "w"), (.execute, "x"), (.user, "u")]
      return letters.map { contains($0.0) ? $0.1 : "-" }.joined()
    }
  }

  extension AddrRangeError: CustomStringConvertible {
    public var description: String {
      switch self {
      case .endsBelowStart: "the range ends below its start; give the lower address first"
      case .overflowsAddressSpace: "the range runs past the last address; make it smaller or start it lower"
      }
    }
  }

#endif
