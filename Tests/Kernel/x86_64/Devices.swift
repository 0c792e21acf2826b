import Addresses
import Machine
import PageTables
import SpinLocks
import Synchronization

enum Interrupts: InterruptControl {
  @inline(__always) static func disable() -> Bool { cpu_disable_interrupts() }
  @inline(__always) static func enable() { cpu_enable_interrupts() }
}

/// The vectors that this kernel gives its interrupts.
private enum Vector {
  static let pageFault: UInt64 = 14
  static let timer: UInt64 = 0x20
  static let call: UInt64 = 0x21
  static let spurious: UInt64 = 0x2F
}

/// The local APIC's registers (Intel SDM volume 3A, table 11-1).
private enum APIC {
  static let endOfInterrupt: UInt64 = 0xB0
  static let spuriousVector: UInt64 = 0xF0
  static let command: UInt64 = 0x300
  static let timer: UInt64 = 0x320
  static let initialCount: UInt64 = 0x380
  static let divider: UInt64 = 0x3E0

  static func write(_ register: UInt64, _ value: UInt32) {
    register_write(UInt64(direct(Plan.devices[0]).raw) + register, value)
  }

  /// Sends an interrupt to all other processors, and waits until it is on its way.
  static func sendToOthers(_ command: UInt32) {
    write(APIC.command, 0xC_4000 | command)
    while register_read(UInt64(direct(Plan.devices[0]).raw) + APIC.command) & 1 << 12 != 0 {}
  }
}

/// Prepares what each processor has for itself.
func startDevices() {
  // The old interrupt controllers stay silent.
  port_write8(0x21, 0xFF)
  port_write8(0xA1, 0xFF)
  cpu_write_msr(0x277, Format.pageAttributeTable)
  APIC.write(APIC.spuriousVector, 1 << 8 | UInt32(Vector.spurious))
}

/// A timer interrupt about every millisecond, or none.
func setTimer(_ isOn: Bool) {
  APIC.write(APIC.divider, 0xB)
  APIC.write(APIC.timer, UInt32(Vector.timer) | (isOn ? 1 << 17 : 1 << 16))
  APIC.write(APIC.initialCount, isOn ? 1_000_000 : 0)
}

func interruptOthers() {
  if processors.count > 1 { APIC.sendToOthers(UInt32(Vector.call)) }
}

/// Gives a processor the stacks that it starts and takes traps on. The first one has started, and keeps its own.
func setStacks(_ stack: AddrRange<VirtAddr>, traps: AddrRange<VirtAddr>, ofProcessor number: Int) {
  secondary_prepare(UInt64(number), UInt64(stack.end.raw), UInt64(traps.end.raw), idleRoot)
}

/// INIT and start-up interrupts (Intel SDM volume 3A, 9.4.4). The processors number themselves as they come.
func startOtherProcessors() {
  if processors.count == 1 { return }
  for number in 1..<processors.count {
    setStacks(makeStack(), traps: makeStack(), ofProcessor: number)
  }
  let code = direct(PhysAddr(secondary_start_address()))
  direct(secondaryPage).unsafePointer.copyMemory(from: code.unsafePointer, byteCount: Int(secondary_start_byte_count()))
  APIC.sendToOthers(0x500)
  let start = cpu_time()
  while cpu_time() - start < 10_000_000 {}
  APIC.sendToOthers(0x600 | UInt32(secondaryPage.raw >> 12))
  let all: UInt = 1 << UInt(processors.count) - 1
  if !wait(upTo: 20, { onlineProcessors.load(ordering: .acquiring) == all }) {
    stop("not every processor started", UInt64(onlineProcessors.load(ordering: .relaxed)))
  }
}

@c(kernel_secondary)
public func kernelSecondary(_ number: UInt32) {
  startDevices()
  runJobs(Int(number))
}

@c(kernel_trap)
public func kernelTrap(_ vector: UInt64, _ errorCode: UInt64, _ address: UInt64, _ place: UInt64) -> Bool {
  switch vector {
  case Vector.pageFault:
    if let fault = PageFault(x86ErrorCode: errorCode, cr2: address) { return handle(fault, at: place) }
  case Vector.timer:
    APIC.write(APIC.endOfInterrupt, 0)
    return tick()
  case Vector.call:
    APIC.write(APIC.endOfInterrupt, 0)
    answerShootdown()
    return leaveIfAsked()
  case Vector.spurious: return false
  default: break
  }
  return abandon("exception", vector, at: place)
}
