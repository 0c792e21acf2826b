/// Something that this process may not do, or only in part, and how to allow it.
struct Denial: Encodable, Hashable, Sendable {
  let what: String
  let remedy: String

  /// All denials on this machine.
  static func all(_ machine: MachineTopology, _ files: MachineFiles) -> [Denial] {
    memory(machine) + pages(machine) + nodes(machine) + others(files)
  }

  private static func memory(_ machine: MachineTopology) -> [Denial] {
    var denials: [Denial] = []
    if let limit = machine.lockLimitByteCount {
      denials.append(
        Denial(
          what: "locking more than \(ByteCount(limit)) of memory",
          remedy: "run 'ulimit -l unlimited', or in a unit LimitMEMLOCK=infinity; in a container add IPC_LOCK"))
    }
    if let limit = machine.addressSpaceLimitByteCount {
      denials.append(
        Denial(what: "mapping more than \(ByteCount(limit))", remedy: "run 'ulimit -v unlimited'"))
    }
    if let limit = machine.groupLimitByteCount, limit < machine.memoryByteCount {
      denials.append(
        Denial(
          what: "using more than \(ByteCount(limit)) of the machine's \(ByteCount(machine.memoryByteCount))",
          remedy: "raise memory.max of the control group, or the container's memory limit"))
    }
    if machine.overcommitMode == 2 {
      denials.append(
        Denial(
          what: "reserving more address space than there is memory, as heaps do",
          remedy: "run 'sysctl vm.overcommit_memory=0', or set HEAPLAB_RESERVE to less"))
    }
    return denials
  }

  private static func pages(_ machine: MachineTopology) -> [Denial] {
    var denials: [Denial] = []
    if machine.transparentHugePages == nil || machine.transparentHugePages == "never" {
      denials.append(
        Denial(
          what: "transparent huge pages",
          remedy: "run 'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled'"))
    }
    for pool in machine.hugePages where pool.freeCount == 0 {
      let size = ByteCount(pool.byteCount)
      let folder = "/sys/kernel/mm/hugepages/hugepages-\(pool.byteCount / 1024)kB"
      denials.append(
        Denial(
          what: pool.count == 0
            ? "explicit pages of \(size): the pool is empty" : "more explicit pages of \(size): none is free",
          remedy:
            "run 'echo \(pool.count + max(1, (1 << 30) / pool.byteCount)) > \(folder)/nr_hugepages' for 1 GiB more"))
    }
    return denials
  }

  private static func nodes(_ machine: MachineTopology) -> [Denial] {
    machine.nodes.flatMap { node -> [Denial] in
      var denials: [Denial] = []
      if node.memoryByteCount > 0, !node.mayUseMemory {
        denials.append(
          Denial(what: "memory of node \(node.number)", remedy: "add it to the control group's cpuset.mems"))
      }
      if !node.processors.isEmpty, !node.mayRun {
        denials.append(
          Denial(
            what: "running on node \(node.number)",
            remedy:
              "add its processors to the control group's cpuset.cpus, or run 'taskset -pc \(MachineFiles.list(node.processors)) PID'"
          ))
      }
      return denials
    }
  }

  private static func others(_ files: MachineFiles) -> [Denial] {
    let capabilities = Capabilities(files)
    var denials: [Denial] = []
    if !capabilities.has(.sysNice) {
      denials.append(
        Denial(
          what: "moving pages that other processes share", remedy: "give the process CAP_SYS_NICE"))
    }
    if !capabilities.has(.sysPtrace), let scope = files.number("/proc/sys/kernel/yama/ptrace_scope"), scope > 0 {
      denials.append(
        Denial(
          what: "reading the heaps of processes that it did not start",
          remedy: "start them with HEAPLAB_TELEMETRY=1, or give heapbench CAP_SYS_PTRACE"))
    }
    if !capabilities.has(.sysPtrace), files.number("/proc/sys/vm/unprivileged_userfaultfd") == 0 {
      denials.append(
        Denial(
          what: "handling the kernel's own page faults (userfaultfd)",
          remedy: "run 'sysctl vm.unprivileged_userfaultfd=1', or give the process CAP_SYS_PTRACE"))
    }
    if let level = files.number("/proc/sys/kernel/perf_event_paranoid"), level > 2, !capabilities.has(.sysAdmin) {
      denials.append(
        Denial(what: "counting events of the processor", remedy: "run 'sysctl kernel.perf_event_paranoid=2'"))
    }
    return denials
  }
}
