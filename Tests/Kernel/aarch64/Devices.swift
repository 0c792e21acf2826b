import Addresses
import Machine
import PageTables
import SpinLocks
import Synchronization

enum Interrupts: InterruptControl {
  @inline(__always) static func disable() -> Bool { cpu_disable_interrupts() }
  @inline(__always) static func enable() { cpu_enable_interrupts() }
}

/// The interrupt controller (Arm IHI 0048, GICv2): the distributor, which all processors share, and the interface of each.
private enum GIC {
  /// The interrupts that this kernel knows: a processor's call, and its virtual timer.
  static let call: UInt32 = 0
  static let timer: UInt32 = 27
  static let spurious: UInt32 = 1023

  static func start() {
    write(0, 0x000, 1)  // on
    write(0, 0x100, 1 << call | 1 << timer)  // enabled
    write(1, 0x004, 0xFF)  // every priority
    write(1, 0x000, 1)  // on
  }

  static func callOthers() { write(0, 0xF00, 1 << 24 | call) }

  static func acknowledge() -> UInt32 { register_read(UInt64(direct(Plan.devices[1]).raw) + 0x00C) }

  static func end(_ interrupt: UInt32) { write(1, 0x010, interrupt) }

  private static func write(_ part: Int, _ register: UInt64, _ value: UInt32) {
    register_write(UInt64(direct(Plan.devices[part]).raw) + register, value)
  }
}

/// Prepares what each processor has for itself.
func startDevices() { GIC.start() }

/// A timer interrupt every millisecond, or none.
func setTimer(_ isOn: Bool) { cpu_set_timer(Plan.ticksPerSecond / 1000, isOn) }

func interruptOthers() {
  if processors.count > 1 { GIC.callOthers() }
}

/// Gives a processor the stacks that it starts and takes traps on. The first one has started, and keeps its own.
func setStacks(_ stack: AddrRange<VirtAddr>, traps: AddrRange<VirtAddr>, ofProcessor number: Int) {
  secondary_prepare(UInt64(number), UInt64(stack.end.raw), UInt64(traps.end.raw))
  if number == 0 { cpu_set_trap_stack(UInt64(traps.end.raw)) }
}

func startOtherProcessors() {
  for number in 1..<max(processors.count, 1) {
    setStacks(makeStack(), traps: makeStack(), ofProcessor: number)
    let answer = cpu_start_processor(UInt64(number), secondary_start_address(), UInt64(number))
    if answer != 0 { stop("the firmware did not start a processor", UInt64(bitPattern: answer)) }
  }
  let all: UInt = 1 << UInt(processors.count) - 1
  waitUntil { onlineProcessors.load(ordering: .acquiring) == all }
}

@c(kernel_secondary)
public func kernelSecondary(_ number: UInt64) {
  startDevices()
  runJobs(Int(number))
}

extension TranslationRange {
  /// Invalidates the pages on every processor: the instruction reaches them all.
  func invalidateOnOthers() {
    if pageCount == .max { return cpu_invalidate_all_everywhere() }
    for page in 0..<pageCount { cpu_invalidate_page_everywhere(start + page * 4096) }
  }
}

@c(kernel_wait)
public func kernelWait() {}

/// `kind` is the number of the vector: 0 to 3 for the kernel, 8 to 11 for user mode, each four synchronous, IRQ, FIQ,
/// SError.
@c(kernel_trap)
public func kernelTrap(_ kind: UInt64, _ syndrome: UInt64, _ address: UInt64, _ place: UInt64) -> Bool {
  switch kind {
  case 0, 8:
    if let fault = PageFault(aarch64Syndrome: syndrome, far: address) { return handle(fault, at: place) }
  case 1, 9: return handleInterrupt()
  default: break
  }
  return abandon("exception", syndrome, at: place)
}

private func handleInterrupt() -> Bool {
  let interrupt = GIC.acknowledge() & 0x3FF
  if interrupt == GIC.spurious { return false }
  // The timer is set anew before the interrupt ends, or it would come again at once.
  if interrupt == GIC.timer { setTimer(true) }
  GIC.end(interrupt)
  return interrupt == GIC.timer ? tick() : leaveIfAsked()
}
