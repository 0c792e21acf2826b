internal import Addresses
internal import HeapSpaces
internal import MemoryRegions

/// The pages behind a heap over a range, beyond the system's choice.
public enum RegionPages {
  /// The system decides.
  case any
  /// Transparent huge pages.
  case transparent
  /// Explicit ones of 2 MiB.
  case explicit2MiB

  /// Maps memory for a heap. Returns the first address, a multiple of the granule, and how many bytes there are.
  static func map(
    byteCount: UInt, _ pages: RegionPages
  ) throws(RegionHeap.CreateError) -> (start: UInt, byteCount: UInt) {
    guard pages == .explicit2MiB else {
      let alignment = pages == .transparent ? UInt(PageSize.size2MiB.byteCount) : Granule.byteCount
      guard let start = try? SystemPages.map(byteCount: byteCount, alignment: alignment) else { throw .outOfMemory }
      return (start, byteCount)
    }
    let page = UInt(PageSize.size2MiB.byteCount)
    let whole = (byteCount + page - 1) / page * page
    guard let start = try? SystemPages.mapHuge(byteCount: whole, pageSize: .size2MiB) else { throw .outOfMemory }
    return (start, whole)
  }

  /// Gives pages their node, their kind and their lock.
  static func place(_ pages: AddrRange<VirtAddr>, _ options: RegionHeap.Options) throws(RegionHeap.CreateError) {
    guard !pages.isEmpty else { return }
    let (start, byteCount) = (pages.start.raw, pages.byteCount)
    do throws(SystemError) {
      if let node = options.node { try bind(pages, to: node) }
      if options.huge == .transparent { try? SystemPages.advise(start, byteCount: byteCount, .useHugePages) }
      if options.pins { try SystemPages.pin(start, byteCount: byteCount, onFault: true) }
      // Explicit pages as well: later, nobody would get those that are not there.
      if options.pins || options.huge == .explicit2MiB { try SystemPages.prefault(start, byteCount: byteCount) }
    } catch {
      if options.pins { unpin(pages) }
      if error.code == invalid { throw .invalidOptions }
      throw .refused(error.code)
    }
  }

  /// EINVAL
  private static var invalid: Int32 { 22 }

  /// Unlocks pages.
  static func unpin(_ pages: AddrRange<VirtAddr>) {
    if !pages.isEmpty { try? SystemPages.unpin(pages.start.raw, byteCount: pages.byteCount) }
  }

  /// Moves pages to a node, and has new ones lie there.
  static func bind(_ pages: AddrRange<VirtAddr>, to node: UInt) throws(SystemError) {
    guard try SystemNodes.allowed().contains(node) else { throw SystemError(invalid) }
    var set = NodeSet()
    set.insert(node)
    if !pages.isEmpty {
      try SystemNodes.bind(pages.start.raw, byteCount: pages.byteCount, .prefer, set, moves: true)
    }
  }
}

extension RegionHeap {
  /// Moves the heap's pages to a node. Returns an errno value.
  public func move(toNode node: UInt) -> Int32 {
    do throws(SystemError) {
      try RegionPages.bind(pages, to: node)
      return 0
    } catch {
      return error.code
    }
  }

  /// Visits the nodes of the heap's pages that have memory. Returns an errno value.
  public func forEachPage(_ body: (UInt) -> Void) -> Int32 {
    do throws(SystemError) {
      try SystemNodes.visit(pages.start.raw, byteCount: pages.byteCount, body)
      return 0
    } catch {
      return error.code
    }
  }
}

extension ProcessHeap {
  /// Visits the nodes of the space's pages that have memory. Returns an errno value.
  public static func forEachPage(_ body: (UInt) -> Void) -> Int32 {
    guard ProcessState().space != 0 else { return 0 }
    var code: Int32 = 0
    processSpace.forEachCommittedRange { start, byteCount in
      do throws(SystemError) {
        if code == 0 { try SystemNodes.visit(start, byteCount: byteCount, body) }
      } catch {
        code = error.code
      }
    }
    return code
  }
}
