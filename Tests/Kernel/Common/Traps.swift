import Addresses
import Machine
import PageTables
import Synchronization

// What the processors' trap handlers have in common. Each returns whether to abandon what `machine_enter` runs.

/// Resolves a page fault, or abandons what faulted.
func handle(_ fault: PageFault, at place: UInt64) -> Bool {
  if !processors.isEmpty, let process = thisProcessor.process, process.resolve(fault) { return false }
  return abandon("a page fault that nothing resolves", UInt64(fault.address.raw), at: place)
}

/// Abandons what faulted, or ends the machine when the kernel itself did.
func abandon(_ what: StaticString, _ value: UInt64, at place: UInt64) -> Bool {
  if !processors.isEmpty && thisProcessor.isEntered { return true }
  show("at ")
  show(hex: place)
  show(": ")
  stop(what, value)
}

/// Counts a timer interrupt.
func tick() -> Bool {
  let processor = thisProcessor
  processor.tickCount.wrappingAdd(1, ordering: .relaxed)
  processor.onTick?()
  return leaveIfAsked()
}

/// Whether another processor asked for it. Only what `machine_enter` runs can be left.
func leaveIfAsked() -> Bool {
  let processor = thisProcessor
  return processor.isEntered && processor.shallLeave.exchange(false, ordering: .acquiring)
}

/// The line that a broken contract ended with, where a test expects one.
nonisolated(unsafe) var expectedFailure: ((UnsafeBufferPointer<UInt8>) -> Void)?

/// A broken contract in one of the modules: shows its line and ends the machine, unless a test waits for it.
@c(kernel_fail)
public func kernelFail(_ line: UnsafePointer<UInt8>, _ byteCount: UInt64) -> Never {
  if let expectedFailure {
    expectedFailure(UnsafeBufferPointer(start: line, count: Int(byteCount)))
    machine_leave(.max)
  }
  for index in 0..<Int(byteCount) { serial_write(line[index]) }
  stop("a broken contract")
}
