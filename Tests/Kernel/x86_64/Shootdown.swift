import Machine
import SpinLocks
import Synchronization

// No instruction of x86-64 reaches another processor's TLB: an interrupt asks it to invalidate for itself.
//
// One request is under way at a time. Who waits for an answer must not keep others from answering. So whoever waits for
// a lock, this one or any other, with interrupts disabled as it may be, answers from `kernelWait`, which the locks call.

private let lock = SpinLock()
nonisolated(unsafe) private var request = TranslationRange.everything
/// A bit for each processor that has not answered.
private let pending = Atomic<UInt>(0)

extension TranslationRange {
  /// Invalidates the pages on all other processors that run; returns when they have.
  func invalidateOnOthers() {
    Interrupts.withInterruptsDisabled {
      lock.withLock {
        request = self
        let others = onlineProcessors.load(ordering: .acquiring) & ~(1 << UInt(cpu_number()))
        // Pairs with the load in `answerShootdown`, and so does the load below with the store there.
        pending.store(others, ordering: .releasing)
        interruptOthers()
        while pending.load(ordering: .acquiring) != 0 {}
      }
    }
  }
}

/// Does what another processor asks for, if one does.
func answerShootdown() {
  Interrupts.withInterruptsDisabled {
    let this: UInt = 1 << UInt(cpu_number())
    if pending.load(ordering: .acquiring) & this == 0 { return }
    request.invalidate()
    pending.bitwiseAnd(~this, ordering: .acquiringAndReleasing)
  }
}

@c(kernel_wait)
public func kernelWait() { answerShootdown() }
