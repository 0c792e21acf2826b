internal import Assertions
internal import MemoryRegions

// The lines about nodes that cannot be had.

extension Placement {
  /// How many nodes a line lists.
  private static var listMaximum: Int { 16 }

  /// A node is not there, has no memory, or is not the process's.
  static func warnOfNode(_ number: UInt, _ allowed: NodeSet) {
    guard let text = SettingText("HEAPLAB_NODE") else { return }
    var line = text.line()
    line.append(": the process may have no memory on node ")
    line.append(Int(clamping: number))
    line.append(", only on")
    var count = 0
    for node in 0..<NodeSet.countMaximum where allowed.contains(node) {
      count += 1
      guard count <= listMaximum else {
        line.append(" and more")
        break
      }
      line.append(" ")
      line.append(Int(node))
    }
    line.append(" (cpuset); the heap goes on without it")
    SettingText.write(line)
  }

  /// The system refuses a call about nodes. From now on nobody asks it again.
  static func refuseNodes(_ error: SystemError) {
    state.fields.placement.nodes.isRefused = true
    guard let text = SettingText("HEAPLAB_NODE") else { return }
    var line = text.line()
    line.append(": the system refuses (error ")
    line.append(Int(error.code))
    line.append("); use a kernel with NUMA, and a sandbox that allows mbind and get_mempolicy")
    line.append("; pages lie where the system puts them")
    SettingText.write(line)
  }
}
