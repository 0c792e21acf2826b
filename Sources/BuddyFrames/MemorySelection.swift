public import Addresses

/// Which memory of a map an allocator gets, and what may be added to it later.
@frozen
public struct MemorySelection: Sendable {
  /// Only memory at these addresses; nil for all.
  public var bounds: AddrRange<PhysAddr>?
  /// Only memory of this NUMA node; nil for all.
  public var node: UInt32?
  /// The addresses at which memory may be added later; nil when none is.
  public var laterSpan: AddrRange<PhysAddr>?
  /// How many banks may be added later.
  public var laterBankCount: Int

  /// Memory within `bounds` and on `node`, as far as they are given, and room for memory that is added later.
  @inlinable public init(
    within bounds: AddrRange<PhysAddr>? = nil, onNode node: UInt32? = nil, laterSpan: AddrRange<PhysAddr>? = nil,
    laterBankCount: Int = 0
  ) {
    self.bounds = bounds
    self.node = node
    self.laterSpan = laterSpan
    self.laterBankCount = laterBankCount
  }
}
