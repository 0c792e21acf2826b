internal import CLabSystem

/// A set of the machine's memory nodes, by their numbers.
package struct NodeSet: Sendable {
  fileprivate var words = InlineArray<16, UInt64>(repeating: 0)

  /// A set without nodes.
  package init() {}

  /// The most nodes that Linux can have.
  package static var countMaximum: UInt { UInt(LAB_NODES_MAXIMUM) }

  /// Whether a node is in the set.
  package func contains(_ node: UInt) -> Bool {
    node < NodeSet.countMaximum && words[Int(node / 64)] >> UInt64(node % 64) & 1 != 0
  }

  /// Inserts a node, whose number is below `countMaximum`.
  package mutating func insert(_ node: UInt) { words[Int(node / 64)] |= 1 << UInt64(node % 64) }

  /// How many nodes there are.
  package var count: UInt {
    var count: UInt = 0
    for index in words.indices { count += UInt(words[index].nonzeroBitCount) }
    return count
  }
}

/// The memory nodes of the system, without libnuma, which allocates and reads files when a program that links it starts.
///
/// Addresses are numbers and multiples of the page. None of these functions allocates, and none changes `errno`. Each
/// throws ENOSYS on a kernel without nodes, and EPERM or ENOSYS in a sandbox that forbids the call.
package enum SystemNodes {
  /// How the nodes of a set serve pages.
  package enum Policy: Sendable {
    /// The first node, and the nearest others when it has no room.
    case prefer
    /// Any of the nodes, and others when they have no room.
    case preferMany
    /// The nodes in turn.
    case interleave

    fileprivate var code: lab_nodes_policy {
      switch self {
      case .prefer: LAB_NODES_PREFER
      case .preferMany: LAB_NODES_PREFER_MANY
      case .interleave: LAB_NODES_INTERLEAVE
      }
    }
  }

  private static func check(_ code: Int32) throws(SystemError) {
    if code != 0 { throw SystemError(code) }
  }

  /// The nodes on which the process may have memory.
  package static func allowed() throws(SystemError) -> NodeSet {
    var set = NodeSet()
    var span = set.words.mutableSpan
    // SAFETY: the words are as many as C writes.
    let code = unsafe span.withUnsafeMutableBufferPointer { unsafe lab_nodes_allowed($0.baseAddress) }
    try check(code)
    return set
  }

  /// Sets where the pages of a range will lie; with `moves` those that it has move there now, as far as there is room.
  package static func bind(
    _ address: UInt, byteCount: UInt, _ policy: Policy, _ set: NodeSet, moves: Bool = false
  ) throws(SystemError) {
    // SAFETY: only the system follows the pointer; the words are as many as C reads.
    let pointer = unsafe UnsafeMutableRawPointer(bitPattern: address)
    let code = unsafe set.words.span.withUnsafeBufferPointer {
      unsafe lab_nodes_bind(pointer, byteCount, policy.code, $0.baseAddress, moves ? 1 : 0)
    }
    try check(code)
  }

  /// The processor that runs the calling thread, by no system call; nil when the system does not say.
  package static var processor: UInt32? {
    let processor = lab_nodes_processor()
    return processor < 0 ? nil : UInt32(processor)
  }

  /// The node of the processor that runs the calling thread.
  package static func current() throws(SystemError) -> UInt {
    var node: UInt32 = 0
    // SAFETY: the result goes to a local.
    try check(unsafe lab_nodes_current(&node))
    return UInt(node)
  }

  /// The node of a set that is nearest to a node; nil when the system does not say.
  package static func nearest(to node: UInt, in set: NodeSet) -> UInt? {
    var nearest: UInt32 = 0
    // SAFETY: the words are as many as C reads; the result goes to a local.
    let code = unsafe set.words.span.withUnsafeBufferPointer {
      unsafe lab_nodes_nearest(UInt32(node), $0.baseAddress, &nearest)
    }
    return code == 0 ? UInt(nearest) : nil
  }

  /// How many pages `visit` looks at with one system call.
  private static var pageMaximum: Int { 64 }

  /// Visits the nodes of the pages of a range that have memory.
  ///
  /// - Complexity: O(pages)
  package static func visit(_ address: UInt, byteCount: UInt, _ body: (UInt) -> Void) throws(SystemError) {
    // SAFETY: nobody follows these pointers.
    var pages = unsafe InlineArray<64, UnsafeMutableRawPointer?>(repeating: nil)
    var nodes = InlineArray<64, Int32>(repeating: 0)
    var page = address
    while page < address + byteCount {
      var count = 0
      while count < pageMaximum, page < address + byteCount {
        // SAFETY: as above.
        unsafe pages[count] = unsafe UnsafeMutableRawPointer(bitPattern: page)
        count += 1
        page += SystemPages.byteCount
      }
      // SAFETY: both arrays have room for so many; the system only looks at the pages.
      var pageSpan = unsafe pages.mutableSpan
      var nodeSpan = nodes.mutableSpan
      let code = unsafe pageSpan.withUnsafeMutableBufferPointer { pages in
        unsafe nodeSpan.withUnsafeMutableBufferPointer { nodes in
          unsafe lab_nodes_of_pages(UInt(count), pages.baseAddress, nodes.baseAddress)
        }
      }
      try check(code)
      for index in 0..<count where nodes[index] >= 0 { body(UInt(nodes[index])) }
    }
  }

  /// Moves a page to a node, if there is room.
  package static func move(page: UInt, to node: UInt) throws(SystemError) {
    // SAFETY: only the system follows the pointer; C reads one of each.
    var pointer = unsafe UnsafeMutableRawPointer(bitPattern: page)
    var number = Int32(truncatingIfNeeded: node)
    try check(unsafe lab_nodes_move(1, &pointer, &number))
  }
}
