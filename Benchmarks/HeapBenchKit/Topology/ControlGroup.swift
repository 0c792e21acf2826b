/// The limits that the control groups of this process set, the narrowest of each.
struct ControlGroup {
  private(set) var limitByteCount: UInt64?
  private(set) var usedByteCount: UInt64?

  /// Reads version 2, whose files lie in the folder of the group and of each group above it, and else version 1.
  init(_ files: MachineFiles) {
    let lines = files.text("/proc/self/cgroup")?.split(separator: "\n").map(String.init) ?? []
    if let path = lines.first(where: { $0.hasPrefix("0::") })?.dropFirst(3) {
      var parts = path.split(separator: "/").map(String.init)
      while true {
        let folder = (["/sys/fs/cgroup"] + parts).joined(separator: "/")
        take(files.number("\(folder)/memory.max"), files.number("\(folder)/memory.current"))
        if parts.isEmpty { break }
        parts.removeLast()
      }
    }
    if let path = lines.first(where: { $0.contains(":memory:") })?.split(separator: ":").last {
      let folder = "/sys/fs/cgroup/memory" + (path == "/" ? "" : path)
      // No limit is the largest multiple of the page that a signed word holds.
      let limit = files.number("\(folder)/memory.limit_in_bytes").flatMap { $0 < UInt64(Int.max) - 4095 ? $0 : nil }
      take(limit, files.number("\(folder)/memory.usage_in_bytes"))
    }
  }

  private mutating func take(_ limit: UInt64?, _ used: UInt64?) {
    guard let limit, limit < limitByteCount ?? .max else { return }
    limitByteCount = limit
    usedByteCount = used
  }
}
