import Addresses
import Machine
import PageTables
import SpinLocks
import Synchronization

enum Interrupts: InterruptControl {
  @inline(__always) static func disable() -> Bool { cpu_disable_interrupts() }
  @inline(__always) static func enable() { cpu_enable_interrupts() }
}

// The firmware chooses which hart starts first. This kernel calls it processor 0, and numbers the others as it starts
// them.

nonisolated(unsafe) var firstHart: UInt64 = 0
/// A bit for each hart that is not this processor's.
private var otherHarts: UInt64 {
  let all: UInt64 = 1 << UInt64(processors.count) - 1
  return all & ~(1 << hart(ofProcessor: cpu_number()))
}

/// Harts 0 to the first one, which is left out, are one number higher as processors.
private func hart(ofProcessor number: UInt64) -> UInt64 {
  number == 0 ? firstHart : number <= firstHart ? number - 1 : number
}

/// Prepares what each processor has for itself.
func startDevices() {
  setTimer(false)
  cpu_select_interrupts()
}

/// A timer interrupt after a millisecond, or none.
func setTimer(_ isOn: Bool) { cpu_set_timer(isOn ? cpu_time() + Plan.ticksPerSecond / 1000 : .max) }

func interruptOthers() {
  if processors.count > 1 { cpu_interrupt(otherHarts) }
}

/// Gives a processor the stacks that it starts and takes traps on. The first one has started, and keeps its own.
func setStacks(_ stack: AddrRange<VirtAddr>, traps: AddrRange<VirtAddr>, ofProcessor number: Int) {
  secondary_prepare(UInt64(number), UInt64(stack.end.raw), UInt64(traps.end.raw), idleRoot)
  if number == 0 { cpu_set_trap_stack(UInt64(traps.end.raw)) }
}

func startOtherProcessors() {
  for number in 1..<max(processors.count, 1) {
    setStacks(makeStack(), traps: makeStack(), ofProcessor: number)
    let hart = hart(ofProcessor: UInt64(number))
    let answer = cpu_start_processor(hart, secondary_start_address())
    if answer != 0 { stop("the firmware did not start a processor", UInt64(bitPattern: answer)) }
    waitUntil { onlineProcessors.load(ordering: .acquiring) & 1 << UInt(number) != 0 }
  }
}

@c(kernel_secondary)
public func kernelSecondary(_ number: UInt64) {
  startDevices()
  runJobs(Int(number))
}

extension TranslationRange {
  /// Invalidates the pages on all other processors. The firmware interrupts them, in a mode that this kernel cannot
  /// disable; so none waits for another.
  func invalidateOnOthers() {
    cpu_invalidate_elsewhere(otherHarts, start, pageCount == .max ? .max : pageCount * 4096)
  }
}

@c(kernel_wait)
public func kernelWait() {}

@c(kernel_trap)
public func kernelTrap(_ cause: UInt64, _ address: UInt64, _ place: UInt64, _ status: UInt64) -> Bool {
  switch cause {
  case 1 << 63 | 1:
    cpu_end_call()
    return leaveIfAsked()
  case 1 << 63 | 5:
    setTimer(true)
    return tick()
  default: break
  }
  if let fault = PageFault(riscvCause: cause, stval: address, sstatus: status) { return handle(fault, at: place) }
  return abandon("exception", cause, at: place)
}
