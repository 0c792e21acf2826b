public import Addresses
public import MemoryProtocols

// Tables outside any tree: allocated before an operation writes anything, or unlinked and waiting until no processor
// can still walk them. The chain needs no memory of its own: each table's first entry holds the address of the next.
// Such an address has its low twelve bits clear, which is an absent entry in every format. A processor that still walks
// an unlinked table thus finds nothing in it.

/// A chain of tables that no entry refers to.
@frozen
@usableFromInline
struct TableChain {
  /// The first table, unless `count` is 0.
  @usableFromInline var first = PhysAddr.null
  /// How many tables there are.
  @usableFromInline var count = 0

  @inlinable init() {}

  /// Adds a table. Its first entry is overwritten; the others stay.
  @inlinable
  mutating func push(_ table: PhysAddr, _ mapper: borrowing some PhysMapper) {
    Table(at: mapper.physToVirt(table)).vacant(at: 0).make(PageTableEntry(count == 0 ? 0 : first.raw))
    first = table
    count += 1
  }

  /// Removes and returns the table added last; its content is undefined.
  @inlinable
  mutating func pop(_ mapper: borrowing some PhysMapper) -> PhysAddr? {
    if count == 0 { return nil }
    let table = first
    first = PhysAddr(Table(at: mapper.physToVirt(covered: table))[0].bits)
    count -= 1
    return table
  }

  /// A chain of `count` tables of a size from the allocator, or nil, with the allocator unchanged, when it has too few.
  @inlinable
  static func allocate(
    _ count: Int, of size: PageSize, _ allocator: inout some FrameAllocator & ~Copyable,
    _ mapper: borrowing some PhysMapper
  ) -> TableChain? {
    var chain = TableChain()
    while chain.count < count {
      guard let frame = allocator.allocate(size) else {
        chain.deallocate(of: size, to: &allocator, mapper)
        return nil
      }
      chain.push(frame.start, mapper)
    }
    return chain
  }

  /// Frees all tables, which have this size.
  @inlinable
  mutating func deallocate(
    of size: PageSize, to allocator: inout some FrameAllocator & ~Copyable, _ mapper: borrowing some PhysMapper
  ) {
    while let table = pop(mapper) {
      allocator.deallocate(Page(start: table, size: size))
    }
  }
}
