import Addresses
import Foundation
import LabTestSupport
import Testing

/// Checks ranges against the plainest model: the set of their addresses.
@Suite struct AddrRangeTests {
  private typealias Range = AddrRange<TinyAddr>

  /// Bounds at the edge cases.
  private static let bounds: [UInt8] = [0, 1, 2, 7, 8, 9, 16, 127, 128, 200, 254, 255]

  private static let ranges: [Range] = endingRanges + topRanges

  /// Ranges that have an end.
  private static let endingRanges: [Range] = bounds.flatMap { start in
    bounds.filter { start <= $0 }.map { Range(start: TinyAddr(start), end: TinyAddr($0)) }
  }

  /// Ranges that hold the last address.
  private static let topRanges: [Range] = bounds.filter { $0 > 0 }.map {
    Range(start: TinyAddr($0), through: TinyAddr(255))
  }

  /// One past the last address, which may be 256.
  private func end(_ range: Range) -> Int { Int(range.start.raw) + Int(range.byteCount) }

  private func addresses(_ range: Range?) -> Swift.Range<Int> {
    range.map { Int($0.start.raw)..<end($0) } ?? 0..<0
  }

  @Test func aRangeIsHalfOpen() {
    for range in Self.ranges {
      let set = addresses(range)
      #expect(Int(range.byteCount) == set.count)
      #expect(range.isEmpty == set.isEmpty)
      for address in Self.bounds where range.contains(TinyAddr(address)) != set.contains(Int(address)) {
        Issue.record("\(range) \(address)")
      }
    }
  }

  @Test func pairsOfRangesBehaveAsSets() {
    for left in Self.ranges {
      for right in Self.ranges {
        let leftSet = addresses(left)
        let rightSet = addresses(right)
        let common = Set(leftSet).intersection(rightSet)
        let rest = left.subtracting(right)
        let isRight =
          left.overlaps(right) == !common.isEmpty
          && Set(addresses(left.intersection(right))) == common
          && left.intersection(right)?.isEmpty != true
          && left.contains(right) == Set(leftSet).isSuperset(of: rightSet)
          && Set(addresses(rest.below)).union(addresses(rest.above)) == Set(leftSet).subtracting(rightSet)
          && rest.below?.isEmpty != true && rest.above?.isEmpty != true
          && (rest.below ?? left).start == left.start && end(rest.above ?? left) == end(left)
        if !isRight { Issue.record("\(left) and \(right)") }
      }
    }
  }

  @Test func splittingLosesNothing() {
    for range in Self.ranges {
      for bound in Self.bounds where range.start.raw <= bound && Int(bound) <= end(range) {
        let (below, above) = range.split(at: TinyAddr(bound))
        #expect(below.start == range.start && end(above) == end(range))
        #expect(below.end.raw == bound && above.start.raw == bound)
      }
    }
  }

  @Test(arguments: [1, 2, 8, 64, 128] as [UInt8])
  func alignmentInwardIsTheLargestAndOutwardTheSmallest(alignment: UInt8) {
    let multiples = (0..<256).filter { $0 % Int(alignment) == 0 }
    for range in Self.ranges {
      let (start, end) = (Int(range.start.raw), end(range))
      let firstInside = multiples.first { $0 >= start } ?? 256
      let lastInside = end == 256 ? 256 : multiples.last { $0 <= end } ?? 0
      let inward = range.alignedInward(to: alignment)
      if firstInside < lastInside {
        #expect(addresses(inward) == firstInside..<lastInside)
        #expect(inward.isAligned(to: alignment))
      } else {
        #expect(inward.isEmpty)
      }
      if end < 256, let lastOutside = multiples.first(where: { $0 >= end }) {
        let outward = range.alignedOutward(to: alignment)
        #expect(outward.isAligned(to: alignment) && outward.contains(range))
        #expect(Int(outward.end.raw) == lastOutside)
        #expect(Int(outward.start.raw) == multiples.last { $0 <= start })
      }
    }
  }

  @Test func aRangeMayHoldTheLastAddress() {
    for range in Self.topRanges {
      #expect(range.last == TinyAddr(255) && end(range) == 256)
    }
    let page = AddrRange(start: VirtAddr(0 &- 8192), through: VirtAddr(.max))
    #expect(page.byteCount == 8192 && page.isAligned(to: 4096))
    #expect(page.pages().map(\.start) == [VirtAddr(0 &- 8192), VirtAddr(0 &- 4096)])
    #expect(AddrRange(start: PhysAddr(5), through: PhysAddr(8)) == AddrRange(start: PhysAddr(5), end: PhysAddr(9)))
    #expect("\(page)" == "0xffffffffffffe000...0xffffffffffffffff")
  }

  @Test func whatHasNoEndTraps() async {
    let end = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = AddrRange(start: PhysAddr(4096), through: PhysAddr(.max)).end
    }
    #expect(text(of: end) == "heaplab: a range that holds the last address has no end, found one from: 0x1000\n")
    let last = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = AddrRange(start: PhysAddr(4096), end: PhysAddr(4096)).last
    }
    #expect(text(of: last) == "heaplab: an empty range has no last address, found one at: 0x1000\n")
    let whole = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = AddrRange(start: PhysAddr.null, through: PhysAddr(.max))
    }
    #expect(text(of: whole) == "heaplab: a range must not hold the whole address space\n")
  }

  @Test func whatComesFromOutsideIsValidated() throws {
    let range = try AddrRange(validating: PhysAddr(0x1000), end: PhysAddr(0x3000))
    #expect(range == AddrRange(start: PhysAddr(0x1000), byteCount: 0x2000))
    #expect(try AddrRange(validating: PhysAddr(5), byteCount: 0).isEmpty)
    #expect(throws: AddrRangeError.endsBelowStart) { try AddrRange(validating: PhysAddr(2), end: PhysAddr(1)) }
    #expect(throws: AddrRangeError.overflowsAddressSpace) {
      try AddrRange(validating: PhysAddr(.max), byteCount: 1)
    }
    #expect(try AddrRange(validating: PhysAddr(.max), byteCount: 0).isEmpty)
    #expect(try AddrRange(validating: PhysAddr.null, byteCount: .max).end == PhysAddr(.max))
  }

  @Test func rangesAndTheirErrorsReadWell() {
    #expect("\(AddrRange(start: PhysAddr(0x1000), end: PhysAddr(0xF000)))" == "0x1000..<0xf000")
    #expect("\(AddrRangeError.endsBelowStart)".contains("give the lower address first"))
    #expect("\(AddrRangeError.overflowsAddressSpace)".contains("make it smaller or start it lower"))
  }

  @Test func aRangeThatRunsDownwardTraps() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = AddrRange(start: PhysAddr(2), end: PhysAddr(1))
    }
    #expect(text(of: result) == "heaplab: a range must not end below its start: 0x2\n")
  }

  @Test func aRangePastTheLastAddressTraps() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = AddrRange(start: PhysAddr(2), byteCount: .max)
    }
    #expect(text(of: result) == "heaplab: an address plus a byte count must fit the address space: 0x2\n")
  }

  @Test func aSplitOutsideTheRangeTraps() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = AddrRange(start: PhysAddr(2), end: PhysAddr(4)).split(at: PhysAddr(5))
    }
    #expect(text(of: result) == "heaplab: a range must be split at an address of its own, found: 0x5\n")
  }

  @Test func alignmentOutwardPastTheLastAddressTraps() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = AddrRange(start: PhysAddr(2), end: PhysAddr(.max)).alignedOutward(to: 4096)
    }
    let line = "heaplab: an address rounded up to its alignment must fit the address space: 0xffffffffffffffff\n"
    #expect(text(of: result) == line)
  }
}
