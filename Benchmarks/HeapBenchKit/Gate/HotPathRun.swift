import Addresses
import MemoryProtocols

/// Takes a workload's steps on a heap that has holes.
struct HotPathRun<Heap: HeapPolicy & ~Copyable>: ~Copyable {
  private var heap: Heap
  private let steps: [HotPathWorkload.Step]
  private var blocks: ContiguousArray<VirtAddr>

  /// A heap over `range` with 512 blocks in use and 512 holes between them.
  private init(_ workload: HotPathWorkload, over range: AddrRange<VirtAddr>) {
    heap = Heap(over: range)
    steps = workload.steps
    blocks = ContiguousArray(repeating: .null, count: HotPathWorkload.slotCount)
    var random = ReproducibleRandom(seed: 3)
    var holes: [VirtAddr] = []
    for index in 0..<1024 {
      let byteCount = 16 + UInt(random.below(1009))
      guard let block = heap.allocate(byteCount: byteCount, alignment: 16) else {
        preconditionFailure("a hot path's range must have room for its blocks")
      }
      if index % 2 == 0 { holes.append(block) }
    }
    for hole in holes { heap.deallocate(hole) }
  }

  /// Takes the steps twice: once until the heap has settled, and once to be measured.
  static func perform(_ workload: HotPathWorkload, over range: AddrRange<VirtAddr>) {
    var run = HotPathRun(workload, over: range)
    run.take()
    run.measured()
  }

  /// Takes the steps in a function of its own, the only one within which callgrind counts.
  @inline(never)
  private mutating func measured() { take() }

  @inline(__always)
  private mutating func take() {
    for step in steps {
      switch step.kind {
      case .allocate:
        guard let block = heap.allocate(byteCount: step.byteCount, alignment: step.alignment) else {
          preconditionFailure("a hot path's range must have room for its blocks")
        }
        blocks[step.slot] = block
      case .deallocate:
        heap.deallocate(blocks[step.slot])
      case .resize:
        let old = blocks[step.slot]
        if heap.resize(old, toByteCount: step.byteCount) { break }
        guard let block = heap.allocate(byteCount: step.byteCount, alignment: step.alignment) else {
          preconditionFailure("a hot path's range must have room for its blocks")
        }
        heap.deallocate(old)
        blocks[step.slot] = block
      }
    }
  }
}

/// The command that runs a hot path once, for callgrind to count.
public enum HotPathProcess {
  /// The command's name, which `heapbench` does not list.
  public static let subcommand = "hot-path"

  /// Runs the command.
  public static func perform(_ workload: String, policy: String) throws {
    guard let workload = HotPathWorkload(rawValue: workload), let policy = PolicyCatalog.policy(named: policy),
      let perform = policy.performHotPath
    else { throw GateObstacle("there is no hot path '\(workload)' of a policy '\(policy)'") }
    let memory = try ReplayMemory(byteCount: 64 << 20, isPinned: false)
    perform(workload, memory.range)
  }

  /// The instructions for each call of the heap, with the loop around it.
  static func count(_ workload: HotPathWorkload, policy: String, on workbench: GateWorkbench) async throws -> Double {
    let heapbench = try await workbench.stripped("heapbench", product: "heapbench")
    let count = try await InstructionCounter(workbench: workbench).count(
      heapbench, [subcommand, workload.rawValue, policy], within: "$s12HeapBenchKit10HotPathRun*8measured*")
    return count / Double(workload.steps.count)
  }
}
