#if !hasFeature(Embedded)

  // The errors as text. Strings allocate, so the Embedded build leaves this out.

  extension MapError: CustomStringConvertible {
    public var description: String {
      switch self {
      case .alreadyMapped: "a mapping stands there already; unmap it first"
      case .emptyTable: "a table without any mapping stands there; clean up the range first, or map with the TLB"
      case .partOfRun: "the page is part of a contiguous run; split it first, or change a range"
      case .notMapped: "no mapping stands there; map it first"
      case .frameAllocationFailed: "no frame is left for a page table; free some memory first"
      case .unsupportedPageSize(let size): "pages of \(size) cannot be used there; take another page size"
      case .unsupportedPermissions(let permissions):
        "this processor cannot enforce the permissions \(permissions): allow execution too, or set IA32_EFER.NXE"
      case .unsupportedMemoryType(let type):
        "this processor's page tables cannot make memory \(type); map it as normal memory or as a device"
      case .misalignedFrame:
        "the frame must start at a multiple of the page's size, be as large as the page, and fit an entry"
      case .nonCanonical: "these tables translate no such address; keep to the canonical ones"
      case .internalError: "the page tables are damaged: something else has written to them"
      }
    }
  }

  extension UnmapError: CustomStringConvertible {
    public var description: String {
      switch self {
      case .notMapped: "no mapping of that size stands there"
      case .unsupportedPageSize(let size): "there are no pages of \(size) in these tables"
      case .hugePage: "a larger page stands there, and it was not, or could not be, split"
      }
    }
  }

  extension TranslationError: CustomStringConvertible {
    public var description: String {
      switch self {
      case .notMapped: "no mapping stands there"
      case .hugePage: "a larger page stands there than the one that was asked for"
      }
    }
  }

  extension RangeError: CustomStringConvertible {
    public var description: String { "\(page): \(cause)" }
  }
#endif
