#if !hasFeature(Embedded)

  extension AddressSpaceError: CustomStringConvertible {
    public var description: String {
      switch self {
      case .noRoom(let byteCount): "no free range has room for \(byteCount) bytes and its guard gaps"
      case .overlaps(let range): "a region stands at \(range) already; unmap it first"
      case .misaligned(let address):
        "\(address): ranges and frames start and end at multiples of 4 KiB and are not empty"
      case .outside(let range): "\(range) lies outside of what the address space manages"
      case .outOfFrames: "no frame is left for a table, a page or another region; free some memory first"
      case .tableFrame(let frame): "the frame at \(frame) holds a page table and cannot be given to a program"
      case .unsupportedPermissions(let permissions): MapError.unsupportedPermissions(permissions).description
      case .unsupportedMemoryType(let type): MapError.unsupportedMemoryType(type).description
      case .unreachableFrames(let frame): "the frames from \(frame) on do not fit the entries of the tables"
      case .noRegion(let address): "no region stands at \(address)"
      }
    }
  }

  extension FaultRefusal: CustomStringConvertible {
    public var description: String {
      switch self {
      case .noRegion(let address): "\(address): nothing is mapped there"
      case .guardPage(let address): "\(address): that is a guard page; a stack or buffer ran over"
      case .notPermitted(let address, let permissions): "\(address): the region there allows only \(permissions)"
      case .noPage(let address): "\(address): the file or shared memory mapped there has no such page"
      case .notYet(let address): "\(address): the page is being read; wait for it and retry"
      case .outOfFrames(let page): "\(page): no frame is left to fill it"
      }
    }
  }
#endif
