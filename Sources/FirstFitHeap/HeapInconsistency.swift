public import Addresses

/// The first inconsistency that a consistency check found, and its address.
public enum HeapInconsistency: Error, Equatable, Sendable {
  /// A range's record is damaged: its top or end lies outside the range, or the ranges are out of order.
  case damagedRange(VirtAddr)
  /// The heap did not write this block header.
  case overwrittenHeader(VirtAddr)
  /// A block is smaller than the minimum, or runs past the top of its range.
  case impossibleSize(VirtAddr)
  /// Two adjacent blocks are free, or a free block lies right below the top.
  case adjacentFreeBlocks(VirtAddr)
  /// A block's header is wrong about the block below it.
  case wrongNeighbour(VirtAddr)
  /// The header and the node of a hole disagree on its size.
  case differentSizes(VirtAddr)
  /// A link of the index leads nowhere, or a parent link does not lead back.
  case brokenLink(VirtAddr)
  /// A hole is missing from the index, the index has a node that is no hole, or the order is wrong.
  case wrongIndex(VirtAddr)
  /// The index is wrong about the largest hole below this point.
  case wrongLargest(VirtAddr)
  /// The table of a range differs from the holes: a list is broken here, or a maximum is wrong.
  case wrongTable(VirtAddr)
  /// One side of the index is higher than allowed, or higher than recorded.
  case wrongBalance(VirtAddr)
  /// The counts of bytes, blocks or holes disagree with the ranges.
  case wrongTotals
}

#if !hasFeature(Embedded)
  extension HeapInconsistency: CustomStringConvertible {
    public var description: String {
      switch self {
      case .damagedRange(let address): "the record of the range at \(address) is damaged"
      case .overwrittenHeader(let address): "the header of the block at \(address) was overwritten"
      case .impossibleSize(let address): "the block at \(address) has an impossible size"
      case .adjacentFreeBlocks(let address): "the free block at \(address) touches another free block"
      case .wrongNeighbour(let address): "the block at \(address) is wrong about the block below it"
      case .differentSizes(let address): "the hole at \(address) has two different sizes"
      case .brokenLink(let address): "a link of the index is broken at \(address)"
      case .wrongIndex(let address): "the index and the blocks differ at \(address)"
      case .wrongLargest(let address): "the index is wrong about the largest hole under \(address)"
      case .wrongTable(let address): "the table of holes and the blocks differ at \(address)"
      case .wrongBalance(let address): "the index is out of balance at \(address)"
      case .wrongTotals: "the heap's totals are not what its ranges hold"
      }
    }
  }
#endif
