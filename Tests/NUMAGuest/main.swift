import Addresses
import MemoryRegions
import NUMARegions

// Checks where pages really lie. `scripts/test-numa` runs this program, and no other, on a machine with four nodes. It
// prints one line per check; the last line counts the failures.

/// The checks done so far.
struct Checks {
  private(set) var count = 0
  private(set) var failedCount = 0

  /// Runs one check and reports it. `body` returns nil, or what it found instead of what it wanted.
  mutating func check(_ name: String, _ body: () throws -> String?) {
    count += 1
    var finding: String?
    do {
      finding = try body()
    } catch {
      finding = "\(error)"
    }
    if let finding {
      failedCount += 1
      print("fail  \(name): \(finding)")
    } else {
      print("pass  \(name)")
    }
  }
}

/// Nil when both are equal, else the value found.
func difference<Value: Equatable>(_ found: Value, _ wanted: Value) -> String? {
  found == wanted ? nil : "found \(found), wanted \(wanted)"
}

/// How many pages of `region` lie on each of the four nodes.
func pageCounts(_ region: borrowing MemoryRegion) throws -> [UInt] {
  var counts: [UInt] = []
  for node in nodes { counts.append(try region.pageCount(on: node)) }
  return counts
}

let nodes = (0..<4).map { NUMANode(UInt16($0)) }
let topology = NUMATopology()
let byteCount: UInt = 1200 * 4096
var checks = Checks()

// The console's first line may begin with firmware output.
print("\n\(topology)")

checks.check("the machine has four nodes") {
  difference(topology.nodes, [nodes[0], nodes[1], nodes[2], nodes[3]])
}

checks.check("each node has its share of the memory") {
  for node in nodes {
    let memory = try topology.memory(of: node)
    let wanted = 128 << 20...256 << 20 as ClosedRange<UInt64>
    if !wanted.contains(memory.totalByteCount) || memory.freeByteCount > memory.totalByteCount { return "\(memory)" }
  }
  return nil
}

checks.check("distances are those of the machine's tables") {
  var distances: [UInt32] = []
  for node in nodes { distances.append(try topology.distance(from: nodes[0], to: node)) }
  return difference(distances, [10, 15, 20, 30])
}

checks.check("each node has the processor of its number, and a thread there runs on it") {
  for node in nodes {
    guard topology.node(ofCPU: UInt32(node.rawValue)) == node else { return "processor \(node.rawValue) is elsewhere" }
    try topology.runCallingThread(on: node)
    if NUMATopology.currentNode != node { return "on \(NUMATopology.currentNode), wanted \(node)" }
  }
  return nil
}

for node in nodes {
  let index = Int(node.rawValue)
  var wanted: [UInt] = [0, 0, 0, 0]
  wanted[index] = 1200

  checks.check("a region bound to \(node) lies there") {
    let region = try MemoryRegion(committing: byteCount)
    try region.place(.bound(to: NUMANodeSet(node)))
    try region.prefault()
    if try region.node(of: region.start + 5000) != node { return "page 1 is elsewhere" }
    return difference(try pageCounts(region), wanted)
  }

  checks.check("a region that prefers \(node) lies there") {
    let region = try MemoryRegion(committing: byteCount)
    try region.place(.preferring(node))
    try region.prefault()
    return difference(try pageCounts(region), wanted)
  }

  checks.check("a region that is bound and pinned lies on \(node) and is locked") {
    let region = try MemoryRegion(committing: byteCount)
    try region.place(.bound(to: NUMANodeSet(node)))
    try region.pin()
    return try difference(region.lockedByteCount(), byteCount) ?? difference(pageCounts(region), wanted)
  }
}

checks.check("an interleaved region lies on its nodes in equal parts") {
  let region = try MemoryRegion(committing: byteCount)
  // A transparent huge page would lie on a single node.
  try region.useTransparentHugePages(false)
  try region.place(.interleaved(over: topology.nodes))
  try region.prefault()
  return difference(try pageCounts(region), [300, 300, 300, 300])
}

checks.check("a region interleaved over three nodes leaves out the fourth") {
  let region = try MemoryRegion(committing: byteCount)
  // A transparent huge page would lie on a single node.
  try region.useTransparentHugePages(false)
  try region.place(.interleaved(over: [nodes[0], nodes[1], nodes[3]]))
  try region.prefault()
  return difference(try pageCounts(region), [400, 400, 0, 400])
}

checks.check("pages that have memory move to where the region is bound") {
  let region = try MemoryRegion(committing: byteCount)
  try region.place(.bound(to: [nodes[1]]))
  try region.prefault()
  let before = try pageCounts(region)
  try region.place(.bound(to: [nodes[3]]))
  return try difference(before, [0, 1200, 0, 0]) ?? difference(pageCounts(region), [0, 0, 0, 1200])
}

checks.check("parts of one region lie on different nodes") {
  let region = try MemoryRegion(committing: byteCount)
  let (below, above) = region.range.split(at: region.start + byteCount / 2)
  try region.place(.bound(to: [nodes[2]]), in: below)
  try region.place(.preferring(nodes[1]), in: above)
  try region.prefault()
  return difference(try pageCounts(region), [0, 600, 600, 0])
}

checks.check("an unplaced region lies where the thread runs") {
  try topology.runCallingThread(on: nodes[2])
  let region = try MemoryRegion(committing: byteCount)
  try region.place(.bound(to: [nodes[0]]))
  try region.place(.unplaced)
  try region.prefault()
  return difference(try pageCounts(region), [0, 0, 1200, 0])
}

checks.check("a fifth node is an error") {
  let region = try MemoryRegion(committing: byteCount)
  do throws(NUMAError) {
    try region.place(.bound(to: [NUMANode(4)]))
    return "no error"
  } catch {
    return difference(error, .noSuchNode(NUMANode(4)))
  }
}

print("numa-guest: \(checks.count) checks, \(checks.failedCount) failed")
