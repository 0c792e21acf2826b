import Foundation
import LabTestSupport
import SpinLocks
import Testing

private typealias ModelLock<Inner: LockKind & ~Copyable> = InterruptSafeLock<Inner, ModelInterrupts>

private struct Refusal: Error {}

/// A lock that threads and an interrupt handler share.
private final class SharedLock {
  let lock = ModelLock<InterruptedLock>()
  private(set) var handlerVisitCount = 0
  /// How often the handler would have waited for the thread that it interrupted.
  private(set) var deadlockCount = 0

  func visitFromHandler() {
    if lock.withLockIfAvailable({}) == nil { deadlockCount += 1 }
    handlerVisitCount += 1
  }
}

/// The lock against a model of one processor; `InterruptSignalTests` has threads and real signals.
@Suite(.serialized) struct InterruptSafeLockTests {
  @Test(arguments: [true, false])
  func aHolderHasInterruptsDisabledAndLeavesThemAsTheyWere(enabled: Bool) {
    leavesInterrupts(enabled, ModelLock<SpinLock>())
    leavesInterrupts(enabled, ModelLock<TicketLock>())
  }

  private func leavesInterrupts(_ enabled: Bool, _ lock: borrowing ModelLock<some LockKind & ~Copyable>) {
    ModelInterrupts.reset(enabled: enabled)
    lock.withLock { #expect(!ModelInterrupts.areEnabled) }
    #expect(ModelInterrupts.areEnabled == enabled)
    let wereEnabled = lock.withLockIfAvailable { ModelInterrupts.areEnabled }
    #expect(wereEnabled == false)
    #expect(ModelInterrupts.areEnabled == enabled)
  }

  @Test(arguments: [true, false])
  func aFailedTryLeavesInterruptsAsTheyWere(enabled: Bool) {
    let lock = ModelLock<SpinLock>()
    // SAFETY: released below, on this thread.
    unsafe lock.lock()
    ModelInterrupts.reset(enabled: enabled)
    let isTaken = unsafe lock.tryLock()
    #expect(!isTaken)
    #expect(ModelInterrupts.areEnabled == enabled)
    ModelInterrupts.reset(enabled: false)
    unsafe lock.unlock()
  }

  @Test func anErrorRestoresInterrupts() {
    ModelInterrupts.reset()
    let value = LockedBy<ModelLock<SpinLock>, Int>(1)
    #expect(throws: Refusal.self) { try value.withLock { _ throws(Refusal) in throw Refusal() } }
    #expect(ModelInterrupts.areEnabled)
    #expect(throws: Refusal.self) { try value.withLockIfAvailable { _ throws(Refusal) in throw Refusal() } }
    #expect(ModelInterrupts.areEnabled)
    #expect(throws: Refusal.self) {
      try ModelInterrupts.withInterruptsDisabled { () throws(Refusal) in throw Refusal() }
    }
    #expect(ModelInterrupts.areEnabled)
  }

  @Test func onlyTheOutermostReleaseEnablesInterrupts() {
    ModelInterrupts.reset()
    let (outer, inner) = (SharedLock(), SharedLock())
    outer.lock.withLock {
      inner.lock.withLock { #expect(!ModelInterrupts.areEnabled) }
      #expect(!ModelInterrupts.areEnabled)
      ModelInterrupts.withInterruptsDisabled {}
      #expect(!ModelInterrupts.areEnabled)
    }
    #expect(ModelInterrupts.areEnabled)
  }

  /// A handler that takes the lock never finds it held, whenever the interrupt comes: before, amid and after the taking
  /// and the release. A lock that disables too late or enables too early fails here.
  @Test func aHandlerNeverFindsTheLockHeld() {
    let shared = SharedLock()
    ModelInterrupts.reset { shared.visitFromHandler() }
    shared.lock.withLock {
      ModelInterrupts.request()
      #expect(ModelInterrupts.handledCount == 0)
    }
    #expect(shared.lock.withLockIfAvailable { true } == true)
    // Two at each of the four steps, and one amid the holder's work.
    #expect(ModelInterrupts.handledCount == 9)
    #expect(ModelInterrupts.pendingCount == 0)
    #expect(shared.handlerVisitCount == 9)
    #expect(shared.deadlockCount == 0)
  }

  /// A holder that comes right after the release, with interrupts disabled, does not change what the release restores.
  @Test func theNextHolderDoesNotDisturbTheRelease() {
    let shared = SharedLock()
    ModelInterrupts.reset()
    InterruptedLock.afterRelease = {
      InterruptedLock.afterRelease = {}
      shared.lock.withLock {}
    }
    shared.lock.withLock {}
    #expect(ModelInterrupts.areEnabled)
  }

  /// What the handler of `aHandlerNeverFindsTheLockHeld` finds in a lock that leaves interrupts alone.
  @Test func aHandlerFindsAPlainLockHeld() {
    let lock = InterruptedLock()
    var deadlockCount = 0
    withoutActuallyEscaping({ if lock.withLockIfAvailable({}) == nil { deadlockCount += 1 } }) { handler in
      ModelInterrupts.reset(handler: handler)
      lock.withLock {}
      ModelInterrupts.reset()
    }
    #expect(deadlockCount == 2)
  }

  /// Random nests of locks, tries and interrupts, with interrupts enabled or not at the start.
  @Test(arguments: [UInt64(1), 2, 3, 4])
  func randomNestsLeaveInterruptsAsTheModelSays(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let all = (0..<4).map { _ in SharedLock() }
    for _ in 0..<200 {
      let enabled = Bool.random(using: &random)
      ModelInterrupts.reset(enabled: enabled) { for shared in all { shared.visitFromHandler() } }
      nest(all[...], enabled, &random)
      #expect(ModelInterrupts.areEnabled == enabled, "seed \(seed)")
      #expect(!enabled || ModelInterrupts.pendingCount == 0, "seed \(seed)")
    }
    #expect(all.allSatisfy { $0.deadlockCount == 0 && $0.handlerVisitCount > 0 }, "seed \(seed)")
  }

  /// Takes the first lock or not, and goes on with the others. `enabled` is what interrupts are now.
  private func nest(_ locks: ArraySlice<SharedLock>, _ enabled: Bool, _ random: inout SeededGenerator) {
    guard let first = locks.first else { return }
    for _ in 0..<Int.random(in: 0...2, using: &random) {
      switch Int.random(in: 0..<3, using: &random) {
      case 0: first.lock.withLock { hold(first, locks, &random) }
      case 1: first.lock.withLockIfAvailable { hold(first, locks, &random) }
      default: nest(locks.dropFirst(), enabled, &random)
      }
      #expect(ModelInterrupts.areEnabled == enabled)
    }
  }

  private func hold(_ held: SharedLock, _ locks: ArraySlice<SharedLock>, _ random: inout SeededGenerator) {
    if Bool.random(using: &random) { ModelInterrupts.request() }
    nest(locks.dropFirst(), false, &random)
    let again: Void? = held.lock.withLockIfAvailable {}
    #expect(again == nil)
    #expect(!ModelInterrupts.areEnabled)
  }
}

#if DEBUG
  /// The misuses that debug builds detect. Each must kill its own process.
  @Suite struct InterruptMisuseTests {
    private static let line =
      "heaplab: interrupts must stay disabled until a lock that disables them is released\n"

    @Test func aHolderMustNotEnableInterrupts() async {
      let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
        let lock = InterruptSafeLock<SpinLock, ModelInterrupts>()
        lock.withLock { ModelInterrupts.enable() }
      }
      #expect(text(of: result) == Self.line)
    }

    @Test func locksMustBeReleasedInReverseOrder() async {
      let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
        let outer = InterruptSafeLock<SpinLock, ModelInterrupts>()
        let inner = InterruptSafeLock<TicketLock, ModelInterrupts>()
        unsafe outer.lock()
        unsafe inner.lock()
        unsafe outer.unlock()
        unsafe inner.unlock()
      }
      #expect(text(of: result) == Self.line)
    }
  }
#endif
