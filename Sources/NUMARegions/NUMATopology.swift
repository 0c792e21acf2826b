internal import CLabNUMA

/// The machine's nodes: the memory and the processors of each, and the distances between them.
///
/// A machine without NUMA, or whose system hides it, has the single node 0.
public struct NUMATopology: Sendable {
  /// The nodes that have memory and that the process may use; at least one.
  public let nodes: NUMANodeSet

  /// Whether the system knows about nodes at all.
  public let isNUMA: Bool

  /// The machine as it is now.
  ///
  /// - Complexity: O(1)
  public init() {
    var nodes = NUMANodeSet()
    // SAFETY: the set has the 16 words that the function expects.
    let code = unsafe withUnsafeMutableBytes(of: &nodes.words) { words in
      unsafe lab_numa_nodes(words.assumingMemoryBound(to: UInt64.self).baseAddress)
    }
    isNUMA = code == 0
    if code != 0 || nodes.isEmpty { nodes = NUMANodeSet(NUMANode(0)) }
    self.nodes = nodes
  }

  /// How much memory a node has, in bytes.
  public struct NodeMemory: Equatable, Sendable {
    /// The node's whole memory.
    public let totalByteCount: UInt64
    /// The memory that is not in use.
    public let freeByteCount: UInt64
  }

  /// How much memory `node` has, and how much of it is free.
  public func memory(of node: NUMANode) throws(NUMAError) -> NodeMemory {
    try check(node)
    var total: UInt64 = 0
    var free: UInt64 = 0
    // SAFETY: the results go to locals.
    let code = unsafe lab_numa_memory(UInt32(node.rawValue), &total, &free)
    if code != 0 { throw NUMAError(code, node) }
    return NodeMemory(totalByteCount: total, freeByteCount: free)
  }

  /// The distance from the processors of `from` to the memory of `to`, as the firmware rates it: 10 is local, 20 twice
  /// as far.
  public func distance(from: NUMANode, to: NUMANode) throws(NUMAError) -> UInt32 {
    try check(from)
    try check(to)
    if !isNUMA { return 10 }
    var distance: UInt32 = 0
    // SAFETY: the result goes to a local.
    let code = unsafe lab_numa_distance(UInt32(from.rawValue), UInt32(to.rawValue), &distance)
    if code != 0 { throw NUMAError(code, to) }
    return distance
  }

  /// The exclusive upper bound of processor numbers, which start at 0.
  public var cpuLimit: UInt32 { lab_numa_cpu_count() }

  /// The node of a processor, nil when there is no such processor.
  public func node(ofCPU cpu: UInt32) -> NUMANode? {
    guard cpu < cpuLimit else { return nil }
    guard isNUMA else { return NUMANode(0) }
    var node: UInt32 = 0
    // SAFETY: the result goes to a local.
    return unsafe lab_numa_cpu_node(cpu, &node) == 0 ? NUMANode(UInt16(node)) : nil
  }

  /// Calls `body` with the number of every processor of `node`, in order.
  public func forEachCPU(of node: NUMANode, _ body: (UInt32) -> Void) {
    for cpu in 0..<cpuLimit where self.node(ofCPU: cpu) == node { body(cpu) }
  }

  /// The node of the processor that runs the calling thread; the scheduler may move the thread at any moment.
  public static var currentNode: NUMANode {
    var node: UInt32 = 0
    // SAFETY: the result goes to a local. A system that cannot tell has one node.
    return unsafe lab_numa_current_node(&node) == 0 ? NUMANode(UInt16(node)) : NUMANode(0)
  }

  /// Restricts the calling thread to the processors of `node` from now on.
  public func runCallingThread(on node: NUMANode) throws(NUMAError) {
    try check(node)
    let code = lab_numa_run_on(UInt32(node.rawValue))
    if code != 0 { throw NUMAError(code, node) }
  }

  /// Throws unless the topology has `node`.
  func check(_ node: NUMANode) throws(NUMAError) {
    guard nodes.contains(node) else { throw .noSuchNode(node) }
  }
}
