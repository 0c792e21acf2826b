import Foundation

/// The machine as an allocator sees it: its nodes, its pages, and the limits of this process.
struct MachineTopology: Encodable, Sendable {
  /// A NUMA node.
  struct Node: Encodable, Sendable {
    let number: Int
    let processors: [Int]
    let memoryByteCount: UInt64
    let freeByteCount: UInt64
    /// Relative distances to the nodes, in their order: 10 is the node's own.
    let distances: [Int]
    /// Whether this process may run there, and use memory there.
    let mayRun: Bool
    let mayUseMemory: Bool
  }

  /// A pool of explicit huge pages.
  struct HugePages: Encodable, Sendable {
    let byteCount: UInt64
    /// The pages of the pool, and those of them that are free and promised to nobody.
    let count: UInt64
    let freeCount: UInt64
  }

  let processorCount: Int
  let memoryByteCount: UInt64
  let availableByteCount: UInt64
  let swapByteCount: UInt64
  let nodes: [Node]
  let hugePages: [HugePages]
  /// `always`, `madvise` or `never`; nil where the kernel has none.
  let transparentHugePages: String?
  /// The limit of the control group, and what it uses; nil without a limit.
  let groupLimitByteCount: UInt64?
  let groupUsedByteCount: UInt64?
  /// The bytes that may be locked; nil for all.
  let lockLimitByteCount: UInt64?
  /// The address space that may be mapped; nil for all.
  let addressSpaceLimitByteCount: UInt64?
  let mappingCountMax: UInt64?
  /// `vm.overcommit_memory`: 2 promises no more than there is.
  let overcommitMode: UInt64?

  /// The machine that these files describe.
  init(files: MachineFiles) {
    let status = "/proc/self/status"
    let mayRun = Set(MachineFiles.numbers(files.line("Cpus_allowed_list:", of: status) ?? ""))
    let mayUse = Set(MachineFiles.numbers(files.line("Mems_allowed_list:", of: status) ?? ""))
    nodes = Self.nodes(files, mayRun, mayUse)
    processorCount = MachineFiles.numbers(files.text("/sys/devices/system/cpu/online") ?? "").count
    func memory(_ name: String) -> UInt64 { (files.field(name, of: "/proc/meminfo") ?? 0) * 1024 }
    (memoryByteCount, availableByteCount) = (memory("MemTotal:"), memory("MemAvailable:"))
    swapByteCount = memory("SwapTotal:")
    hugePages = Self.hugePages(files)
    transparentHugePages = files.choice("/sys/kernel/mm/transparent_hugepage/enabled")
    let group = ControlGroup(files)
    (groupLimitByteCount, groupUsedByteCount) = (group.limitByteCount, group.usedByteCount)
    let capabilities = Capabilities(files)
    lockLimitByteCount = capabilities.has(.ipcLock) ? nil : Self.limit("Max locked memory", files)
    addressSpaceLimitByteCount = Self.limit("Max address space", files)
    mappingCountMax = files.number("/proc/sys/vm/max_map_count")
    overcommitMode = files.number("/proc/sys/vm/overcommit_memory")
  }

  /// The nodes of sysfs; one with everything where the kernel has none.
  private static func nodes(_ files: MachineFiles, _ mayRun: Set<Int>, _ mayUse: Set<Int>) -> [Node] {
    let folder = "/sys/devices/system/node"
    let online = MachineFiles.numbers(files.text("\(folder)/online") ?? "")
    guard !online.isEmpty else {
      return [
        Node(
          number: 0, processors: MachineFiles.numbers(files.text("/sys/devices/system/cpu/online") ?? ""),
          memoryByteCount: (files.field("MemTotal:", of: "/proc/meminfo") ?? 0) * 1024,
          freeByteCount: (files.field("MemFree:", of: "/proc/meminfo") ?? 0) * 1024, distances: [10], mayRun: true,
          mayUseMemory: true)
      ]
    }
    return online.map { number in
      let node = "\(folder)/node\(number)"
      func memory(_ name: String) -> UInt64 { (files.field(name, of: "\(node)/meminfo") ?? 0) * 1024 }
      let processors = MachineFiles.numbers(files.text("\(node)/cpulist") ?? "")
      return Node(
        number: number, processors: processors, memoryByteCount: memory("MemTotal:"),
        freeByteCount: memory("MemFree:"),
        distances: (files.text("\(node)/distance") ?? "").split(separator: " ").compactMap { Int($0) },
        mayRun: !mayRun.isDisjoint(with: processors), mayUseMemory: mayUse.contains(number))
    }
  }

  private static func hugePages(_ files: MachineFiles) -> [HugePages] {
    let folder = "/sys/kernel/mm/hugepages"
    let pools = files.names(in: folder).compactMap { name -> HugePages? in
      guard name.hasPrefix("hugepages-"), name.hasSuffix("kB"),
        let size = UInt64(name.dropFirst("hugepages-".count).dropLast(2))
      else { return nil }
      func count(_ file: String) -> UInt64 { files.number("\(folder)/\(name)/\(file)") ?? 0 }
      let promised = min(count("resv_hugepages"), count("free_hugepages"))
      return HugePages(
        byteCount: size * 1024, count: count("nr_hugepages"), freeCount: count("free_hugepages") - promised)
    }
    return pools.sorted { $0.byteCount < $1.byteCount }
  }

  /// A soft limit of this process; nil for none.
  private static func limit(_ name: String, _ files: MachineFiles) -> UInt64? {
    files.line(name, of: "/proc/self/limits")?.split(separator: " ").first.flatMap { UInt64($0) }
  }
}
