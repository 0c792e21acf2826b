public import Addresses
public import MemoryRegions

/// Why the system refused a request about nodes.
public enum NUMAError: Error, Equatable, Sendable {
  /// The machine has no such node, or the process may not use it.
  case noSuchNode(NUMANode)
  /// A placement named no nodes.
  case noNodes
  /// Some memory in use could not be moved to the nodes that it is now bound to.
  case notMoved(AddrRange<VirtAddr>)
  /// The process may not place memory: a container's system call filter often forbids it.
  case forbidden
  /// The system has no NUMA support.
  case notSupported
  /// The nodes have no memory left, or the process has reached its limit of mappings.
  case outOfMemory
  /// The system refused for another reason.
  case refused(SystemError)

  /// What an errno about `part` means.
  init(_ code: Int32, _ part: AddrRange<VirtAddr>) {
    self = code == 5 ? .notMoved(part) : NUMAError(code)
  }

  /// What an errno about `node` means.
  init(_ code: Int32, _ node: NUMANode) {
    self = code == 2 ? .noSuchNode(node) : NUMAError(code)
  }

  private init(_ code: Int32) {
    switch code {
    case 1: self = .forbidden
    case 12: self = .outOfMemory
    case 38: self = .notSupported
    default: self = .refused(SystemError(code))
    }
  }

  /// Whether the system lacks the call: ENOSYS.
  static func isUnknownCall(_ code: Int32) -> Bool { code == 38 }

  /// Whether a page has no memory of its own: ENOENT or EFAULT.
  static func isNoMemory(_ code: Int32) -> Bool { code == 2 || code == 14 }
}
