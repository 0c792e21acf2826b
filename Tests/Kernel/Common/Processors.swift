import Machine
import PageTables
import Synchronization

/// What the kernel knows of one processor.
final class Processor {
  /// The process whose address space is loaded; nil for the idle one.
  var process: Process?
  /// Whether it runs something that a trap may abandon: see `machine_enter`.
  var isEntered = false
  /// Whether it shall abandon that at the next interrupt.
  let shallLeave = Atomic<Bool>(false)
  /// How many timer interrupts it had.
  let tickCount = Atomic<UInt>(0)
  /// What its timer interrupts do besides.
  var onTick: (() -> Void)?
  /// A stack for probes.
  let probeStack = UnsafeMutableRawPointer.allocate(byteCount: 16384, alignment: 16)

  /// Runs code on a stack of its own; nil when a trap ended it.
  func enter(_ program: UInt64, stack: UInt64, _ first: UInt64, _ second: UInt64, inUserMode: Bool) -> UInt64? {
    isEntered = true
    let result = machine_enter(program, stack, first, second, inUserMode ? 1 : 0)
    isEntered = false
    return result == .max ? nil : result
  }

  /// Runs a function of the kernel that may fault; nil when it did.
  func probe(_ function: UInt64, _ first: UInt64, _ second: UInt64 = 0) -> UInt64? {
    let stack = UInt64(UInt(bitPattern: probeStack)) + 16384
    return enter(function, stack: stack, first, second, inUserMode: false)
  }
}

nonisolated(unsafe) var processors: [Processor] = []

/// A bit for each processor that runs.
let onlineProcessors = Atomic<UInt>(1)

var thisProcessor: Processor { processors[Int(cpu_number())] }

// Work for all processors: the first one announces it, the others wait for an interrupt that says so.
nonisolated(unsafe) private var job: ((Int) -> Void)?
private let jobCount = Atomic<UInt>(0)
private let doneCount = Atomic<UInt>(0)

/// Runs `body` on every processor at once, with its number.
func onAllProcessors(_ body: @escaping (Int) -> Void) {
  job = body
  doneCount.store(0, ordering: .relaxed)
  // Pairs with the load in `runJobs`.
  jobCount.wrappingAdd(1, ordering: .releasing)
  interruptOthers()
  body(0)
  // Pairs with the release below: what the others did is done.
  sleepUntil { doneCount.load(ordering: .acquiring) == UInt(processors.count - 1) }
  job = nil
}

/// What processors other than the first do for good.
func runJobs(_ number: Int) -> Never {
  onlineProcessors.bitwiseOr(1 << UInt(number), ordering: .acquiringAndReleasing)
  var seen: UInt = 0
  while true {
    sleepUntil { jobCount.load(ordering: .acquiring) != seen }
    seen += 1
    job?(number)
    doneCount.wrappingAdd(1, ordering: .releasing)
    interruptOthers()
  }
}

/// Waits for what another processor does before it interrupts this one. Interrupts are enabled afterwards.
private func sleepUntil(_ condition: () -> Bool) {
  // With interrupts disabled, none can come between the test and the wait, which it would not end.
  _ = Interrupts.disable()
  while !condition() { cpu_wait_for_interrupt() }
  Interrupts.enable()
}

/// Waits for another processor, and answers its requests meanwhile.
func waitUntil(_ condition: () -> Bool) {
  while !condition() { kernelWait() }
}

/// Waits for a condition, for so many seconds at most; returns whether it came true.
func wait(upTo seconds: UInt64, _ condition: () -> Bool) -> Bool {
  let start = cpu_time()
  while !condition() {
    if cpu_time() - start > seconds * Plan.ticksPerSecond { return false }
    kernelWait()
  }
  return true
}
