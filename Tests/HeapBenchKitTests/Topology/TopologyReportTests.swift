import Foundation
import Testing

@testable import HeapBenchKit

/// Machines that are files in a folder: four unlike nodes in a container, and one without nodes.
@Suite("Topology")
struct TopologyReportTests {
  private static func machine(_ files: [String: String], _ body: (MachineFiles) throws -> Void) throws {
    let root = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: root) }
    for (path, text) in files {
      let url = root.appending(path: path)
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data((text + "\n").utf8).write(to: url)
    }
    try body(MachineFiles(root: root.path))
  }

  private static let limits = """
    Limit                     Soft Limit           Hard Limit           Units
    Max locked memory         8388608              8388608              bytes
    Max address space         unlimited            unlimited            bytes
    """

  /// Node 1 has no processors, node 4 no memory, and node 2 is in nobody's cpuset.
  private static var unlike: [String: String] {
    var files = [
      "proc/meminfo": "MemTotal:  7340032 kB\nMemAvailable:  4194304 kB\nSwapTotal:  0 kB",
      "proc/self/status": "CapEff:\t0000000000000000\nCpus_allowed_list:\t0-1,6\nMems_allowed_list:\t0-1",
      "proc/self/limits": limits,
      "proc/self/cgroup": "0::/box/inner",
      "sys/fs/cgroup/box/memory.max": "2147483648",
      "sys/fs/cgroup/box/memory.current": "1048576",
      "sys/fs/cgroup/box/inner/memory.max": "max",
      "proc/sys/kernel/yama/ptrace_scope": "1",
      "sys/devices/system/cpu/online": "0-6",
      "sys/devices/system/node/online": "0-2,4",
      "sys/kernel/mm/transparent_hugepage/enabled": "always madvise [never]",
      "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "10",
      "sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages": "3",
      "sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages": "3",
      "sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages": "1",
      "sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages": "1",
      "sys/kernel/mm/hugepages/hugepages-1048576kB/resv_hugepages": "0",
    ]
    for (number, processors, memory) in [(0, "0-1", 1_048_576), (1, "", 2_097_152), (2, "2-3", 4_194_304), (4, "6", 0)]
    {
      let node = "sys/devices/system/node/node\(number)"
      files["\(node)/cpulist"] = processors
      files["\(node)/meminfo"] = "Node \(number) MemTotal:  \(memory) kB\nNode \(number) MemFree:  1024 kB"
      files["\(node)/distance"] = "10 20 30 40"
    }
    return files
  }

  @Test("Nodes without memory or without processors, with gaps in their numbers")
  func nodes() throws {
    try Self.machine(Self.unlike) { files in
      let machine = TopologyReport(files: files).machine
      #expect(machine.nodes.map(\.number) == [0, 1, 2, 4])
      #expect(machine.nodes.map(\.processors) == [[0, 1], [], [2, 3], [6]])
      #expect(machine.nodes.map(\.memoryByteCount) == [1 << 30, 2 << 30, 4 << 30, 0])
      #expect(machine.nodes.map(\.mayRun) == [true, false, false, true])
      #expect(machine.nodes.map(\.mayUseMemory) == [true, true, false, false])
      #expect(machine.groupLimitByteCount == 2 << 30 && machine.groupUsedByteCount == 1 << 20)
      #expect(machine.hugePages.map(\.freeCount) == [0, 1])
    }
  }

  @Test("What is denied has its remedy")
  func denials() throws {
    try Self.machine(Self.unlike) { files in
      let report = TopologyReport(files: files)
      #expect(
        report.denials.map(\.what) == [
          "locking more than 8.00 MiB of memory", "using more than 2.00 GiB of the machine's 7.00 GiB",
          "transparent huge pages", "more explicit pages of 2.00 MiB: none is free", "memory of node 2",
          "running on node 2", "moving pages that other processes share",
          "reading the heaps of processes that it did not start",
        ])
      let text = report.text(style: TerminalStyle(columnCount: 100, hasColour: false))
      #expect(text.contains("memory only") && text.contains("processors only"))
      #expect(text.contains("run 'ulimit -l unlimited'") && text.contains("echo 522 >"))
      let json = String(decoding: try report.json(), as: UTF8.self)
      #expect(json.contains("\"lockLimitByteCount\" : 8388608"))
    }
  }

  @Test("A machine without nodes has one, and root is denied nothing")
  func plain() throws {
    let files = [
      "proc/meminfo": "MemTotal:  1048576 kB\nMemFree:  1024 kB\nMemAvailable:  4096 kB\nSwapTotal:  8 kB",
      "proc/self/status": "CapEff:\t000001ffffffffff\nCpus_allowed_list:\t0-1\nMems_allowed_list:\t0",
      "proc/self/limits": Self.limits, "sys/devices/system/cpu/online": "0-1",
      "sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never",
    ]
    try Self.machine(files) { files in
      let report = TopologyReport(files: files)
      #expect(report.machine.nodes.map(\.processors) == [[0, 1]] && report.machine.lockLimitByteCount == nil)
      #expect(report.denials.isEmpty)
      #expect(
        report.text(style: TerminalStyle(columnCount: 100, hasColour: false)).contains(
          "Nothing that allocators ask for is denied here."))
    }
  }
}
