import Addresses
import MemoryMaps

/// The zones that a map's memory makes: node by node, lowest kind first.
struct FrameZonePlan {
  let laterSpan: AddrRange<PhysAddr>?
  let laterBankCount: Int
  private var node: UInt32?
  private var kind = 0

  init(laterSpan: AddrRange<PhysAddr>?, laterBankCount: Int) {
    self.laterSpan = laterSpan
    self.laterBankCount = laterBankCount
  }

  /// The next zone: the position of its kind, and its memory.
  mutating func next(
    _ map: borrowing MemoryMap, _ kinds: Span<FrameZoneKind>
  ) -> (kind: Int, selection: MemorySelection)? {
    while true {
      if node == nil || kind == kinds.count {
        guard let next = FrameZonePlan.nextNode(above: node, map) else { return nil }
        node = next
        kind = 0
        if kinds.isEmpty { return nil }
      }
      let start = kind == 0 ? PhysAddr.null : kinds[kind - 1].end ?? map.addressLimit
      let end = kinds[kind].end ?? map.addressLimit
      var selection = MemorySelection(within: AddrRange(start: start, end: max(start, end)), onNode: node)
      if kind == kinds.count - 1 {
        selection.laterSpan = laterSpan
        selection.laterBankCount = laterBankCount
      }
      kind += 1
      if SparseFrames.bankCapacity(for: map, selection) > 0 { return (kind - 1, selection) }
    }
  }

  /// The lowest node with memory above a node.
  private static func nextNode(above node: UInt32?, _ map: borrowing MemoryMap) -> UInt32? {
    var next: UInt32?
    for index in 0..<map.count where map[index].kind.isMemory {
      let candidate = map[index].node
      if let node, candidate <= node { continue }
      next = min(next ?? candidate, candidate)
    }
    return next
  }
}
