public import Addresses
public import Assertions

// First fit: the lowest free addresses that a request can have. A subtree whose longest gap is too short is skipped. So
// is a gap that is long enough but holds no place at the request's alignment, after a look at it alone.

/// Free addresses that somebody wants.
@frozen
public struct GapRequest: Sendable {
  /// How many bytes, a multiple of 4 KiB.
  public let byteCount: UInt
  /// The alignment in bytes: a power of two, at least 4 KiB.
  public let alignment: UInt
  /// How many bytes must be free between the place and a record on either side; a multiple of 4 KiB.
  public let guardByteCount: UInt
  /// The lowest and the last address of a place.
  public let bounds: AddrRange<VirtAddr>

  /// The shortest gap between two records that could serve the request; nil when none could.
  @usableFromInline let minimumGapByteCount: UInt?

  /// A request for `byteCount` bytes inside `bounds`.
  ///
  /// Traps unless `byteCount` is a multiple of 4 KiB and not 0, `guardByteCount` is a multiple of 4 KiB, and `alignment`
  /// is a power of two. An alignment below 4 KiB counts as 4 KiB.
  @inlinable
  public init(
    _ byteCount: UInt, alignment: UInt = 4096, guardByteCount: UInt = 0, in bounds: AddrRange<VirtAddr>
  ) {
    require(
      byteCount > 0 && byteCount % 4096 == 0 && guardByteCount % 4096 == 0,
      "a request for addresses must be for whole pages, found", UInt64(byteCount))
    self.byteCount = byteCount
    self.alignment = max(alignment, 4096)
    self.guardByteCount = guardByteCount
    self.bounds = bounds
    let (guards, guardsOverflow) = guardByteCount.multipliedReportingOverflow(by: 2)
    let (sum, overflow) = byteCount.addingReportingOverflow(guards)
    minimumGapByteCount = guardsOverflow || overflow ? nil : sum
  }

  /// The lowest start of a place from `first` through `last`, with a guard gap on the sides where there is a record.
  @inlinable
  func start(
    from first: VirtAddr, through last: VirtAddr, guardBelow: Bool = true, guardAbove: Bool = true
  ) -> VirtAddr? {
    guard let lowest = first.checkedAdd(guardBelow ? guardByteCount : 0),
      let start = max(lowest, bounds.start).checkedAlignedUp(to: alignment),
      let lastStart = last.checkedSubtract(byteCount - 1)?.checkedSubtract(guardAbove ? guardByteCount : 0),
      start <= lastStart, start <= bounds.last, bounds.last.raw - start.raw >= byteCount - 1
    else { return nil }
    return start
  }
}

extension RegionTree {
  /// The start of the lowest free place for a request, nil when there is none.
  /// - Complexity: O(log n) for n records, plus one step for each lower gap that is long enough but holds no place at the
  ///   alignment or lies below the bounds
  @inlinable
  public func lowestPlace(for request: GapRequest) -> VirtAddr? {
    if request.bounds.isEmpty { return nil }
    let (first, last) = (request.bounds.start, request.bounds.last)
    guard let (lowest, highest) = interval else {
      return request.start(from: first, through: last, guardBelow: false, guardAbove: false)
    }
    if lowest > first, let start = request.start(from: first, through: lowest - 1, guardBelow: false) { return start }
    if let minimum = request.minimumGapByteCount,
      let start = lowestPlace(for: request, minimum, below: root, level: height)
    {
      return start
    }
    if highest >= last { return nil }
    return request.start(from: highest + 1, through: last, guardAbove: false)
  }

  /// The lowest address of the lowest record and the last of the highest.
  @inlinable
  var interval: (lowest: VirtAddr, last: VirtAddr)? {
    if count == 0 { return nil }
    if height == 0 { return (leaf(root)[0].lowest, leaf(root)[count - 1].last) }
    let node = inner(root)
    return (node[0].lowest, node[node.count - 1].last)
  }

  /// The lowest place between two records below a node.
  @inlinable
  func lowestPlace(for request: GapRequest, _ minimum: UInt, below frame: PhysAddr, level: Int) -> VirtAddr? {
    if level == 0 { return lowestPlace(for: request, minimum, in: leaf(frame)) { _ in nil } }
    return lowestPlace(for: request, minimum, in: inner(frame)) { subtree in
      lowestPlace(for: request, minimum, below: subtree.node, level: level - 1)
    }
  }

  @inlinable @inline(__always)
  func lowestPlace<Element: RegionRecord>(
    for request: GapRequest, _ minimum: UInt, in node: RegionNode<Element>, _ inside: (Element) -> VirtAddr?
  ) -> VirtAddr? {
    let count = node.count
    var index = node.firstIndex(reaching: request.bounds.start)
    var previous: VirtAddr? = index > 0 ? node[index - 1].last : nil
    while index < count {
      let element = node[index]
      if let previous, element.lowest.raw &- previous.raw &- 1 >= minimum,
        let start = request.start(from: previous + 1, through: element.lowest - 1)
      {
        return start
      }
      if element.innerGapByteCount >= minimum, let start = inside(element) { return start }
      previous = element.last
      index += 1
    }
    return nil
  }
}
