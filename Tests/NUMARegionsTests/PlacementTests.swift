import Addresses
import Foundation
import LabTestSupport
import MemoryRegions
import NUMARegions
import Testing

/// Checks that work on any machine, even with a single node. `scripts/test-numa` has four nodes.
@Suite struct PlacementTests {
  private let topology = NUMATopology()

  /// A node that no machine has.
  private let absent = NUMANode(1023)

  @Test func everyNodeHasMemoryAndIsNearestToItself() throws {
    #expect(topology.nodes.count >= 1)
    try topology.nodes.forEach { node in
      let memory = try topology.memory(of: node)
      #expect(memory.totalByteCount > 0)
      #expect(memory.freeByteCount <= memory.totalByteCount)
      #expect(try topology.distance(from: node, to: node) == 10)
    }
  }

  @Test func everyProcessorHasANodeThatListsIt() throws {
    let cpu = try #require((0..<topology.cpuLimit).first { topology.node(ofCPU: $0) != nil })
    let node = try #require(topology.node(ofCPU: cpu))
    var found = false
    topology.forEachCPU(of: node) { found = found || $0 == cpu }
    #expect(found)
    #expect(topology.node(ofCPU: topology.cpuLimit) == nil)
  }

  @Test func theCallingThreadRunsOnANode() {
    #expect(topology.nodes.contains(NUMATopology.currentNode))
  }

  @Test func aNodeThatIsNotThereIsNamed() throws {
    let region = try MemoryRegion(committing: 1 << 16)
    #expect(throws: NUMAError.noSuchNode(absent)) { try topology.memory(of: absent) }
    #expect(throws: NUMAError.noSuchNode(absent)) { try topology.distance(from: NUMANode(0), to: absent) }
    #expect(throws: NUMAError.noSuchNode(absent)) { try region.place(.preferring(absent)) }
    #expect(throws: NUMAError.noSuchNode(absent)) { try region.place(.bound(to: [NUMANode(0), absent])) }
    #expect(throws: NUMAError.noNodes) { try region.place(.interleaved(over: [])) }
    #expect("\(NUMAError.noSuchNode(absent))".contains("node 1023"))
    #expect("\(NUMAError.noSuchNode(absent))".contains("numactl --hardware"))
  }

  @Test func everyPlacementServesPages() throws {
    let node = try #require(topology.nodes.first)
    let placements: [Placement] = [
      .bound(to: NUMANodeSet(node)), .preferring(node), .interleaved(over: topology.nodes), .unplaced,
    ]
    for placement in placements {
      let region = try MemoryRegion(committing: 1 << 16)
      do {
        try region.place(placement)
      } catch NUMAError.forbidden {
        print("skipped: placing memory is forbidden here")
        return
      }
      let addressInPage = region.start + 5000
      #expect(try region.node(of: addressInPage) == nil)
      try region.prefault()
      let found = try #require(try region.node(of: addressInPage))
      #expect(topology.nodes.contains(found))
      var pageCount: UInt = 0
      try topology.nodes.forEach { pageCount += try region.pageCount(on: $0) }
      #expect(pageCount == 16)
    }
  }

  @Test func anAddressOfAnotherRegionIsABrokenContract() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      let region = try MemoryRegion(committing: 4096)
      _ = try region.node(of: region.range.end)
    }
    #expect(text(of: result).hasPrefix("heaplab: a part must lie in its region, found: 0x"))
  }
}
