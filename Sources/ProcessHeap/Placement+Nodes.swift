internal import CLabMalloc
internal import HeapSpaces
internal import MemoryRegions
internal import ThreadHeaps

// The memory nodes behind the heap.
//
// A node or several, or `interleave`, is a policy of the kernel for everything that the heap maps (mbind). All of them
// prefer: when the nodes have no room, the kernel goes on with the nearest others. A strict binding would end the program
// there, by the kernel's hand.
//
// Under `local` the space is dealt out to all nodes that the process may use (HeapSpace+Nodes.swift), and each thread's
// heap takes memory of the thread's node alone. A page never changes its node. Remote frees go home, because a span's
// blocks go back to its owner's heap, and an arena belongs to one node. An ended thread's heap passes only to a thread of
// the same node. A heap whose thread the scheduler moved to another node is left behind, as if the thread had ended, and
// the thread goes on with a heap of its new node. Each heap looks now and then, at a slow path. A look costs no system
// call while the thread stays on its processor.

/// The nodes under `local`, and where the pages of a heap under one policy lie. Zero bytes are the initial value.
struct NodeRecord {
  /// Whether there is a policy for all memory, which, and with which nodes. No optional: its zero bytes are a policy.
  var hasPolicy = false
  var policy = SystemNodes.Policy.prefer
  var set = NodeSet()
  /// How many nodes `local` deals the space out to, 0 without it; their numbers; and for each number, which of them serves
  /// the processors there.
  var count: UInt = 0
  var numbers = InlineArray<64, UInt8>(repeating: 0)
  var indexes = InlineArray<128, UInt8>(repeating: 0)
  /// Whether a line said that the system refuses.
  var isRefused = false

  init() {}
}

extension Placement {
  /// The most nodes under `local`, and the numbers that it knows.
  private static var nodeMaximum: Int { 64 }
  private static var numberMaximum: UInt { 128 }

  /// Among how many nodes the space is dealt out.
  static var nodeCount: UInt { max(1, state.fields.placement.nodes.count) }

  /// Finds the nodes that the settings ask for, with the process's lock held.
  static func beginNodes() {
    guard state.fields.settings.node != .unset, let text = SettingText("HEAPLAB_NODE") else { return }
    do throws(SystemError) {
      let allowed = try SystemNodes.allowed()
      switch state.fields.settings.node {
      case .unset: break
      case .local: beginLocal(allowed)
      case .interleave: setPolicy(.interleave, allowed)
      case .numbers: beginNumbers(text, allowed)
      }
    } catch {
      refuseNodes(error)
    }
  }

  private static func beginNumbers(_ text: SettingText, _ allowed: NodeSet) {
    var set = NodeSet()
    text.forEachNumber { if allowed.contains($0) { set.insert($0) } else { warnOfNode($0, allowed) } }
    guard set.count != 0 else { return }
    setPolicy(set.count == 1 ? .prefer : .preferMany, set)
  }

  private static func setPolicy(_ policy: SystemNodes.Policy, _ set: NodeSet) {
    state.fields.placement.nodes.policy = policy
    state.fields.placement.nodes.set = set
    state.fields.placement.nodes.hasPolicy = true
  }

  private static func beginLocal(_ allowed: NodeSet) {
    for number in 0..<numberMaximum where allowed.contains(number) {
      let index = Int(state.fields.placement.nodes.count)
      guard index < nodeMaximum else { break }
      state.fields.placement.nodes.numbers[index] = UInt8(truncatingIfNeeded: number)
      state.fields.placement.nodes.indexes[Int(number)] = UInt8(truncatingIfNeeded: index)
      state.fields.placement.nodes.count += 1
    }
    // One node needs no care.
    if state.fields.placement.nodes.count < 2 { return state.fields.placement.nodes.count = 0 }
    // Processors without memory of their own, or whose memory the process may not use, have the nearest.
    for number in 0..<numberMaximum where !allowed.contains(number) {
      guard let nearest = SystemNodes.nearest(to: number, in: allowed), nearest < numberMaximum else { continue }
      state.fields.placement.nodes.indexes[Int(number)] = state.fields.placement.nodes.indexes[Int(nearest)]
    }
  }

  /// Sets where the pages of a range lie, which belongs to a node of the space.
  static func bind(_ address: UInt, byteCount: UInt, node: UInt) {
    guard state.fields.settings.node != .unset, !state.fields.placement.nodes.isRefused else { return }
    do throws(SystemError) {
      if state.fields.placement.nodes.hasPolicy {
        let nodes = state.fields.placement.nodes
        try SystemNodes.bind(address, byteCount: byteCount, nodes.policy, nodes.set)
      } else if node < state.fields.placement.nodes.count {
        var set = NodeSet()
        set.insert(UInt(state.fields.placement.nodes.numbers[Int(node)]))
        try SystemNodes.bind(address, byteCount: byteCount, .prefer, set)
      }
    } catch {
      refuseNodes(error)
    }
  }

  /// The node of the space that is the calling thread's.
  static var threadNode: UInt8 {
    guard state.fields.placement.nodes.count != 0, let processor = SystemNodes.processor else { return 0 }
    var now = lab_malloc_whereabouts()
    if now.processor == processor + 1 { return UInt8(truncatingIfNeeded: now.node) }
    guard let number = try? SystemNodes.current(), number < numberMaximum else { return 0 }
    now.processor = processor + 1
    now.node = UInt32(state.fields.placement.nodes.indexes[Int(number)])
    lab_malloc_whereabouts_set(now)
    return UInt8(truncatingIfNeeded: now.node)
  }

  /// Moves the record of a new heap to the heap's node. All records lie in granules of the first one.
  static func moveRecord(of heap: OwnedHeap) {
    let node = Int(heap.heap.fields.node)
    guard node != 0, !state.fields.placement.nodes.isRefused else { return }
    let page = SystemPages.roundedDown(heap.address)
    try? SystemNodes.move(page: page, to: UInt(state.fields.placement.nodes.numbers[node]))
  }
}
