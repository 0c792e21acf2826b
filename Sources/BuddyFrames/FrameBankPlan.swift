import Addresses
import MemoryMaps

// How a map's memory becomes banks. Memory in pieces with small holes between them is one bank, whose holes are
// reserved: firmware likes to cut memory into hundreds of pieces. A hole costs 16 bytes of frame table for each frame,
// and a bank some 1 to 2 KiB.

/// The banks that a selection of a map's memory makes.
enum FrameBankPlan {
  /// Holes of at least this many bytes are between banks, not in one.
  static var holeByteMinimum: UInt64 { 16 << 20 }

  /// Calls `body` for the frames of each bank, in address order.
  static func forEachBank(
    of map: borrowing MemoryMap, _ selection: MemorySelection, _ body: (AddrRange<PhysAddr>) -> Void
  ) {
    var bank: AddrRange<PhysAddr>?
    forEachPiece(of: map, selection) { piece in
      if let open = bank {
        let hole = AddrRange(start: open.end, end: piece.start)
        if hole.byteCount < holeByteMinimum && !hasMemory(hole, map) {
          bank = AddrRange(start: open.start, end: piece.end)
          return
        }
        body(open)
      }
      bank = piece
    }
    if let bank { body(bank) }
  }

  /// Calls `body` for the whole frames of each piece of selected memory.
  private static func forEachPiece(
    of map: borrowing MemoryMap, _ selection: MemorySelection, _ body: (AddrRange<PhysAddr>) -> Void
  ) {
    map.forEachRange { entry in
      entry.kind.isMemory && (selection.node == nil || entry.node == selection.node)
    } _: { range in
      guard let range = selection.bounds.map({ range.intersection($0) }) ?? range else { return }
      let frames = range.alignedInward(to: PageSize.size4KiB.byteCount)
      if !frames.isEmpty { body(frames) }
    }
  }

  /// Whether there is memory in `range`, such as another node's.
  private static func hasMemory(_ range: AddrRange<PhysAddr>, _ map: borrowing MemoryMap) -> Bool {
    // Less than a frame of it is no obstacle: the frame belongs to nobody as a whole.
    for index in 0..<map.count where map[index].kind.isMemory {
      if let part = map[index].range.intersection(range), !part.alignedInward(to: 4096).isEmpty { return true }
    }
    return false
  }
}
