import Addresses
import CLabBench
import MemoryProtocols

// What does a search among n holes cost? The heap has n holes between blocks in use. Nearly all of them are too short
// for a request. A few at random places are long, and each of these is longer than the one before it. Under first fit,
// a request that just fits the j-th long hole gets that hole; a list walks past all holes in front of it. The block is
// freed at once, which restores the hole. So the field stays the same, however long the measurement takes.

/// A heap with many holes, and requests that must search among them.
final class HoleField<Heap: HeapPolicy & ~Copyable>: HoleSearch {
  private var heap: Heap
  let requests: [UInt]
  private var firstRequest = 0

  /// The most long holes, which is also the most places that requests go to.
  static var longHoleCountMax: Int { 64 }

  /// The size of the shortest long hole; the short holes have 16 to 64 bytes.
  static var longHoleByteCount: UInt { 1024 }

  /// The bytes of memory for a field of `holeCount` holes.
  static func byteCount(holeCount: Int) -> UInt {
    UInt(holeCount) * 160 + UInt(longHoleCountMax) * (longHoleByteCount + UInt(longHoleCountMax) * 64) + (1 << 20)
  }

  /// Lays out `holeCount` holes in `range`, the long ones at random places. Traps when the range is too small.
  init(over range: AddrRange<VirtAddr>, holeCount: Int, seed: UInt64) {
    var random = ReproducibleRandom(seed: seed)
    let longCount = min(holeCount, Self.longHoleCountMax)
    var isLong = [Bool](repeating: false, count: holeCount)
    var missing = longCount
    while missing > 0 {
      let place = random.index(below: holeCount)
      if !isLong[place] {
        isLong[place] = true
        missing -= 1
      }
    }
    heap = Heap(over: range)
    var requests: [UInt] = []
    var holes: [VirtAddr] = []
    for place in 0..<holeCount {
      var byteCount = UInt(16 + 16 * random.below(4))
      if isLong[place] {
        byteCount = Self.longHoleByteCount + UInt(requests.count) * 64
        requests.append(byteCount)
      }
      guard let hole = heap.allocate(byteCount: byteCount, alignment: 16),
        heap.allocate(byteCount: 32, alignment: 16) != nil
      else { preconditionFailure("a field of \(holeCount) holes must fit its range") }
      holes.append(hole)
    }
    // From the highest down: a list then finds each hole's place at its head.
    for hole in holes.reversed() { heap.deallocate(hole) }
    for index in stride(from: requests.count - 1, to: 0, by: -1) {
      requests.swapAt(index, random.index(below: index + 1))
    }
    self.requests = requests
  }

  /// The number of free blocks that the heap shows.
  var holeCount: Int {
    var count = 0
    heap.forEachBlock { if $0.isFree { count += 1 } }
    return count
  }

  func nanoseconds(pairCount: Int) -> UInt64 {
    // The other heap ran in between and emptied the caches. Refilling them is not part of the search's cost.
    Self.search(&heap, requests, from: firstRequest, pairCount: min(pairCount, requests.count))
    let start = lab_clock_thread_nanoseconds()
    Self.search(&heap, requests, from: firstRequest, pairCount: pairCount)
    let nanoseconds = lab_clock_thread_nanoseconds() - start
    firstRequest = (firstRequest + pairCount) % requests.count
    return nanoseconds
  }

  private static func search(_ heap: inout Heap, _ requests: [UInt], from first: Int, pairCount: Int) {
    var next = first
    for _ in 0..<pairCount {
      guard let block = heap.allocate(byteCount: requests[next], alignment: 16) else {
        preconditionFailure("a field of holes must have room for its requests")
      }
      heap.deallocate(block)
      next += 1
      if next == requests.count { next = 0 }
    }
  }
}

/// A field of holes that can be timed.
protocol HoleSearch: AnyObject {
  /// The processor time, in nanoseconds, of `pairCount` pairs of allocate and deallocate.
  func nanoseconds(pairCount: Int) -> UInt64
}
