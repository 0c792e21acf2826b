import Addresses

/// The textbook buddy, for ranges too large for a set of frames: free blocks in address order, split and merged one
/// order at a time.
struct TextbookBuddy {
  /// The free blocks by first frame; no two of them are buddies.
  private(set) var free: [UInt64: UInt8] = [:]

  init(frames count: UInt64, from first: UInt64) {
    var frame = first
    while frame < first + count {
      var order: UInt8 = 0
      while order < 18, frame % (2 << UInt64(order)) == 0, frame + (2 << UInt64(order)) <= first + count { order += 1 }
      free[frame] = order
      frame += 1 << UInt64(order)
    }
  }

  mutating func allocate(_ order: UInt8) -> PhysAddr? {
    guard let block = free.filter({ $0.value >= order }).keys.min(), var larger = free.removeValue(forKey: block) else {
      return nil
    }
    while larger > order {
      larger -= 1
      free[block + (1 << UInt64(larger))] = larger
    }
    return PhysAddr(block << 12)
  }

  mutating func deallocate(_ address: PhysAddr, _ order: UInt8) {
    var (block, order) = (address.raw >> 12, order)
    while order < 18, free[block ^ (1 << UInt64(order))] == order {
      free[block ^ (1 << UInt64(order))] = nil
      block &= ~(1 << UInt64(order))
      order += 1
    }
    free[block] = order
  }

  var counts: [UInt64] {
    free.values.reduce(into: Array(repeating: 0, count: FrameOrder.count)) { $0[Int($1)] += 1 }
  }
}
