import MemoryRegions
import NUMARegions
import Testing

@Suite struct NUMARegionsExample {
  @Test func memoryOnANode() throws {
    // BEGIN
    let region = try MemoryRegion(committing: 1 << 20)
    let node = NUMATopology.currentNode
    try region.place(.preferring(node))  // before the first write, or the pages move
    try region.prefault()
    let home = try region.node(of: region.range.start)
    // END
    #expect(home == node || NUMATopology().nodes.count > 1)
  }
}
