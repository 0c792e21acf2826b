import Addresses
import MemoryProtocols
import Testing

@testable import HeapBenchKit

@Suite struct PolicyCheckTests {
  private static func check(_ policy: Policy) -> PolicyCheck {
    PolicyCheck(policy) { try PolicyCheck.finding(of: policy, $0) }
  }

  @Test(arguments: PolicyCatalog.all.filter(\.receivesMemory).map(\.name)) func everyPolicyPasses(name: String) throws {
    let policy = try #require(PolicyCatalog.policy(named: name))
    for seed in 1...2 as ClosedRange<UInt64> { try Self.check(policy).run(.init(seed: seed, count: 500)) }
  }

  /// A heap that hands out the same bytes twice, from its hundredth block on: the check finds it, and the command that it
  /// prints has so few requests that one fewer shows nothing.
  @Test func aMistakeIsFoundWithFewRequests() throws {
    let policy = Policy.heap("overlapping", OverlappingHeap.self, summary: "")
    let mistake = try #require(throws: PolicyCheck.Mistake.self) {
      try Self.check(policy).run(.init(seed: 3, count: 5000))
    }
    let text = "\(mistake)"
    #expect(text.hasPrefix("policy 'overlapping': block at 0x"))
    #expect(text.contains(" overlaps the one at 0x"))
    #expect(text.contains("; to see it again: heapbench check --policy overlapping --seed 3 --requests "))
    let count = try #require(text.split(separator: " ").last.flatMap { Int($0) })
    #expect(try PolicyCheck.finding(of: policy, .init(seed: 3, count: count)) != nil)
    #expect(try PolicyCheck.finding(of: policy, .init(seed: 3, count: count - 1)) == nil)
  }
}

/// First fit by a list, whose blocks are at the wrong place from the hundredth on.
private struct OverlappingHeap: HeapPolicy, Sendable, ~Copyable {
  private var heap: PlainListHeap
  private var count = 0
  private var last: VirtAddr?

  init(over range: AddrRange<VirtAddr>) { heap = PlainListHeap(over: range) }

  mutating func allocate(byteCount: UInt, alignment: UInt) -> VirtAddr? {
    count += 1
    if count >= 100, alignment <= 16, let last { return last }
    let block = heap.allocate(byteCount: byteCount, alignment: alignment)
    last = block ?? last
    return block
  }

  mutating func deallocate(_ address: VirtAddr) {
    if address == last { last = nil }
    heap.deallocate(address)
  }

  mutating func resize(_ address: VirtAddr, toByteCount byteCount: UInt) -> Bool {
    heap.resize(address, toByteCount: byteCount)
  }

  func usableByteCount(of address: VirtAddr) -> UInt { heap.usableByteCount(of: address) }
  func forEachBlock(_ body: (HeapBlock) -> Void) { heap.forEachBlock(body) }
  var statistics: HeapStatistics { heap.statistics }
}
