// Robson's bad program, played against first fit.
//
// No allocator that cannot move blocks is safe from fragmentation. For each of them there is a program that never has
// more than M bytes live and yet makes it use about M · ½ log2 n, where n is the ratio of the largest block to the
// smallest. Robson's construction (J. M. Robson, "Bounds for some functions concerning dynamic storage allocation",
// JACM 21, 1974) needs only the addresses that it got, and block sizes that are powers of two.
//
//   Round 0: allocate M ÷ u blocks of the unit u; f = 0.
//   Round i, 1 ≤ i ≤ log2 n: the new f is f or f + 2^(i−1) u, whichever keeps more.
//     Free every block that holds no address congruent to f modulo 2^i u.
//     Allocate blocks of 2^i u bytes until M bytes are live again.
//
// After the frees, every window of 2^i u bytes holds a kept block. No hole is that long, and every new block lies
// beyond all old ones:
//
//   extent after round i = extent before + (bytes freed in round i)  ≥  M · (½ i + 1) − (what does not divide)
//
// A workload is fixed before it is replayed and cannot look at the addresses that it gets. So the addresses here are
// those of a simulated textbook first fit. Under exact first fit, which is what this lab builds, the replay is Robson's
// program itself. Another allocator suffers as far as it places blocks like first fit. The requested sizes are 16 bytes
// below the powers of two: with a header of up to 16 bytes, and rounded to 16, the blocks have exactly those powers.
//
// The simulated first fit needs no search. Within a round all requests have one size and nothing is freed: the lowest
// hole that fits never lies below the previous one. One pass over the blocks in address order serves a round.

/// Robson's bad program as steps.
enum RobsonAdversary {
  /// The bytes that each request leaves for an allocator's header.
  static let headerByteCount: UInt64 = 16

  /// A live block at its simulated address, in units.
  private struct Block {
    let start: UInt64
    let unitCount: UInt64
    let object: UInt32

    /// Whether the block holds an address congruent to `offset` modulo `modulus`, all in units.
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

  /// The unused units around the blocks that an offset keeps, of `modulus` units to each block. Robson's choice between
  /// two offsets maximises them.
  private static func kept(_ blocks: ContiguousArray<Block>, _ offset: UInt64, modulo modulus: UInt64) -> UInt64 {
    blocks.reduce(0) { sum, block in
      block.holds(offset, modulo: modulus) ? sum + modulus - block.unitCount : sum
    }
  }

  /// Allocates blocks of `size` units by first fit until the budget is spent.
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
