// Robson's bad program, played against first fit.
//
// No allocator that cannot move blocks is safe from fragmentation: for every one there is a program that never has
// more than M bytes live and yet makes it use about M · ½ log2 n, where n is the ratio of the largest block to the
// smallest. Robson's construction (J. M. Robson, "Bounds for some functions concerning dynamic storage allocation",
// JACM 21, 1974) needs two things alone: the addresses it was given, and block sizes that are powers of two.
//
//   Round 0: allocate M ÷ u blocks of the unit u; f = 0.
//   Round i, 1 ≤ i ≤ log2 n: of f and f + 2^(i−1) u, take as the new f that at which more would be kept.
//     Free every block but those that hold an address congruent to f modulo 2^i u.
//     Allocate blocks of 2^i u bytes until M are live again.
//
// What is left after the frees has no hole of 2^i u bytes, as each window of that length holds a kept block, so that
// every new block lies beyond all old ones:
//
//   extent after round i = extent before + (bytes freed in round i)  ≥  M · (½ i + 1) − (what does not divide)
//
// A workload is fixed before it is replayed, and so cannot look at the addresses it gets. Therefore the addresses
// here are those of a textbook first fit, simulated: against exact first fit, which is what this lab builds, the
// replay then meets Robson's program itself, and another allocator meets a program that is bad for it as far as it
// places like first fit. The sizes asked for are 16 bytes below the powers of two: any header of up to 16 bytes and
// rounding to 16 make them blocks of exactly those powers.
//
// First fit needs no search here. Within a round all requests have one size and nothing is freed, so that the lowest
// hole that fits never lies below the last one found; one pass over the blocks in address order serves a round.

/// Robson's bad program as steps.
enum RobsonAdversary {
  /// The bytes that a request leaves for an allocator's header.
  static let headerByteCount: UInt64 = 16

  /// A live block at its simulated address, in units.
  private struct Block {
    let start: UInt64
    let unitCount: UInt64
    let object: UInt32

    /// Whether it holds an address congruent to `offset` modulo `modulus`, all in units.
    func holds(_ offset: UInt64, modulo modulus: UInt64) -> Bool {
      let first = start + (offset + modulus - start % modulus) % modulus
      return first < start + unitCount
    }
  }

  /// The program with at most `liveByteCount` bytes live, in blocks of `unit` bytes times powers of two up to `limit`.
  static func steps(liveByteCount: UInt64, unit: UInt64, limit: UInt64) -> WorkloadBuilder {
    var builder = WorkloadBuilder()
    let budget = liveByteCount / unit
    var blocks: ContiguousArray<Block> = []
    fill(&blocks, with: 1, budget: budget, unit: unit, &builder)
    var offset: UInt64 = 0
    var size: UInt64 = 2
    while size <= limit / unit {
      let other = offset + size / 2
      if kept(blocks, other, modulo: size) > kept(blocks, offset, modulo: size) { offset = other }
      var survivors: ContiguousArray<Block> = []
      for block in blocks {
        if block.holds(offset, modulo: size) {
          survivors.append(block)
        } else {
          builder.deallocate(block.object)
        }
      }
      blocks = survivors
      fill(&blocks, with: size, budget: budget, unit: unit, &builder)
      size *= 2
    }
    return builder
  }

  /// The units that lie unused around the blocks that an offset keeps, of `modulus` units to each: what Robson's
  /// choice between two offsets makes as large as it can.
  private static func kept(_ blocks: ContiguousArray<Block>, _ offset: UInt64, modulo modulus: UInt64) -> UInt64 {
    blocks.reduce(0) { sum, block in
      block.holds(offset, modulo: modulus) ? sum + modulus - block.unitCount : sum
    }
  }

  /// Allocates blocks of `size` units by first fit until no more fits the budget.
  private static func fill(
    _ blocks: inout ContiguousArray<Block>, with size: UInt64, budget: UInt64, unit: UInt64,
    _ builder: inout WorkloadBuilder
  ) {
    var left = (budget - blocks.reduce(0) { $0 + $1.unitCount }) / size
    var merged: ContiguousArray<Block> = []
    var end: UInt64 = 0
    // The hole below each old block, then the room above the last one.
    for index in 0...blocks.count {
      let limit = index < blocks.count ? blocks[index].start : UInt64.max
      while left > 0, limit - end >= size {
        let object = builder.allocate(byteCount: size * unit - headerByteCount)
        merged.append(Block(start: end, unitCount: size, object: object))
        end += size
        left -= 1
      }
      if index < blocks.count {
        merged.append(blocks[index])
        end = blocks[index].start + blocks[index].unitCount
      }
    }
    blocks = merged
  }
}
