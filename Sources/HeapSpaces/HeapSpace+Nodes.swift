internal import Addresses
internal import BuddyFrames

// A space over the memory nodes of a machine. Its chunks are dealt out to the nodes in turn: with n nodes, chunk i belongs
// to node i modulo n. Spans and arenas take granules of their thread's node, and of others only when no more can be
// committed there. Which nodes of the system these are, and that the pages lie there, is the owner's work. A space of one
// node is as if there were none.
//
// An arena belongs to the node that is its number modulo n. On a machine with more nodes than arenas, some share one.

extension HeapSpace {
  /// The node of the chunk around a granule.
  func node(around number: UInt) -> UInt { chunkIndex(around: number) % fields.nodeCount }

  /// The number of the chunk around a granule, in the order of their addresses.
  private func chunkIndex(around number: UInt) -> UInt {
    let long: UInt = HeapSpace.largestChunkShift
    let isLong = number >> long != 0
    let length = UInt(UInt.bitWidth - (number >> HeapSpace.smallestChunkShift).leadingZeroBitCount)
    return isLong ? long - HeapSpace.smallestChunkShift + number >> long : length
  }

  /// Takes the lowest free run of an order in the chunks of a node, which get one more if need be, else of the next node.
  /// Returns its first granule, and the head of its chunk.
  func takeUncommittedRun(_ order: FrameOrder, onNode node: UInt) -> (number: UInt, head: UInt)? {
    for step in 0..<fields.nodeCount {
      let node = (node + step) % fields.nodeCount
      repeat {
        var head = fields.buddyFirstGranule
        while head < fields.chunksEnd {
          if self.node(around: head) == node, isBegun(head), let number = takeFrame(order, ofChunkWithHeadAt: head) {
            return (number, head)
          }
          head = chunkEnd(around: head)
        }
      } while beginChunk(for: order)
    }
    return nil
  }

  /// How far apart the numbers of a node's arenas are.
  private var arenaStep: Int { min(Int(fields.nodeCount), HeapSpace.arenaCount) }

  /// The first arena of a node.
  package func firstArena(ofNode node: UInt8) -> UInt8 { UInt8(truncatingIfNeeded: Int(node) % arenaStep) }

  /// The arenas of a node, one bit each.
  package func arenas(ofNode node: UInt8) -> UInt8 {
    var arenas: UInt8 = 0
    for number in 0..<HeapSpace.arenaCount where isOneNode(number, node) { arenas |= 1 << UInt8(number) }
    return arenas
  }

  /// The arena of the same node behind one with a number.
  func arena(behind number: UInt8) -> UInt8 {
    let next = Int(number) + arenaStep
    return UInt8(truncatingIfNeeded: next < HeapSpace.arenaCount ? next : Int(number) % arenaStep)
  }

  /// Whether two arenas belong to one node.
  func isOneNode(_ first: Int, _ second: UInt8) -> Bool { first % arenaStep == Int(second) % arenaStep }
}
