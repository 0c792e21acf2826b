import Addresses
import CLabBench
import MemoryProtocols

// What does a search cost among n holes? A heap is laid out so that a request must search: n holes between blocks in
// use, nearly all of them too short, and among them, at random places, a few that are long, the further back the
// longer. A request that just fits the j-th long hole gets it under first fit, whatever the way there: a list walks
// past all holes before it. The block is given back at once, which makes the hole again, so that the field stays as
// it is however long it is measured.

/// A heap with many holes, and requests that have to search among them.
final class HoleField<Heap: HeapPolicy & ~Copyable>: HoleSearch {
  private var heap: Heap
  let requests: [UInt]
  private var firstRequest = 0

  /// How many long holes there are at most, so how many places the requests go to.
  static var longHoleCountMax: Int { 64 }

  /// The size of the shortest of the long holes; the short ones have 16 to 64 bytes.
  static var longHoleByteCount: UInt { 1024 }

  /// The bytes of memory that a field of so many holes needs.
  static func byteCount(holeCount: Int) -> UInt {
    UInt(holeCount) * 160 + UInt(longHoleCountMax) * (longHoleByteCount + UInt(longHoleCountMax) * 64) + (1 << 20)
  }

  /// Lays out `holeCount` holes at random places of `range`; traps when that is too small.
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
    // From the highest down, so that a list finds each one's place at its head.
    for hole in holes.reversed() { heap.deallocate(hole) }
    for index in stride(from: requests.count - 1, to: 0, by: -1) {
      requests.swapAt(index, random.index(below: index + 1))
    }
    self.requests = requests
  }

  /// How many free blocks the heap shows.
  var holeCount: Int {
    var count = 0
    heap.forEachBlock { if $0.isFree { count += 1 } }
    return count
  }

  func nanoseconds(pairCount: Int) -> UInt64 {
    // What ran in between, the other heap above all, has emptied the caches: that is not the search's cost.
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

/// Something that can be timed among its holes.
protocol HoleSearch: AnyObject {
  /// What so many pairs of allocate and deallocate take in all, in time that the thread had a processor.
  func nanoseconds(pairCount: Int) -> UInt64
}
