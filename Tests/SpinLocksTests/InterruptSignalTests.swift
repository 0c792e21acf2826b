import Foundation
import LabTestSupport
import SpinLocks
import Synchronization
import Testing

/// What threads and their handlers share. Plain fields expose a lock that lets two in.
private struct Visits {
  private(set) var byThreads = 0
  private(set) var byHandlers = 0
  private var isInside = false

  mutating func visit(fromHandler: Bool) {
    precondition(!isInside, "the lock let two in")
    isInside = true
    if fromHandler { byHandlers += 1 } else { byThreads += 1 }
    isInside = false
  }
}

private let visits = LockedBy<InterruptSafeLock<SpinLock, SignalInterrupts>, Visits>(Visits())
private let fairVisits = LockedBy<InterruptSafeLock<TicketLock, SignalInterrupts>, Visits>(Visits())
private let plain = SpinLock()
private let handledCount = Atomic(0)

/// The lock under real threads, whose handlers take it too.
@Suite(.serialized) struct InterruptSignalTests {
  private static let threadCount = 4
  /// How many interrupts the threads wait for. Few, since a fair lock waits for the scheduler at every handover when
  /// threads outnumber processors.
  private static let interruptCount = 100

  /// Runs `body`; meanwhile every interrupt visits both values.
  private func handlingVisits(_ body: () -> Void) {
    visits.withLock { $0 = Visits() }
    fairVisits.withLock { $0 = Visits() }
    handledCount.store(0, ordering: .relaxed)
    let handler: @convention(c) (CInt) -> Void = { _ in
      visits.withLock { $0.visit(fromHandler: true) }
      fairVisits.withLock { $0.visit(fromHandler: true) }
      handledCount.wrappingAdd(1, ordering: .relaxed)
    }
    SignalInterrupts.handling(handler, body)
  }

  @Test func aSignalWaitsForTheRelease() {
    handlingVisits {
      Threads.run(1) { _ in
        SignalInterrupts.enable()
        visits.withLock {
          SignalInterrupts.request()
          precondition($0.byHandlers == 0)
        }
        precondition(handledCount.load(ordering: .relaxed) == 1)
        SignalInterrupts.withInterruptsDisabled {
          SignalInterrupts.request()
          precondition(handledCount.load(ordering: .relaxed) == 1)
        }
      }
    }
    #expect(visits.withLock { $0.byHandlers } == 2)
    #expect(fairVisits.withLock { $0.byHandlers } == 2)
  }

  /// Every thread is interrupted at any instruction, in particular while it holds a lock or waits for one.
  @Test func handlersAndThreadsShareLocks() {
    handlingVisits {
      Self.runningCount.store(Self.threadCount, ordering: .relaxed)
      Self.roundCount.store(0, ordering: .relaxed)
      Threads.run(Self.threadCount + 1) { number in
        if number == Self.threadCount { Self.interruptAll() } else { Self.visitAndStay() }
      }
    }
    let rounds = Self.roundCount.load(ordering: .relaxed)
    #expect(visits.withLock { $0.byThreads } == 2 * rounds)
    #expect(fairVisits.withLock { $0.byThreads } == rounds)
    let handled = handledCount.load(ordering: .relaxed)
    #expect(handled >= Self.interruptCount)
    #expect(visits.withLock { $0.byHandlers } == handled)
    #expect(fairVisits.withLock { $0.byHandlers } == handled)
  }

  /// How many threads still visit; -1 once no thread will be interrupted any more.
  private static let runningCount = Atomic(0)
  private static let roundCount = Atomic(0)
  private static let threads = Locked<[pthread_t]>([])

  private static func visitAndStay() {
    threads.withLock { $0.append(pthread_self()) }
    SignalInterrupts.enable()
    while handledCount.load(ordering: .relaxed) < interruptCount {
      visits.withLock { $0.visit(fromHandler: false) }
      fairVisits.withLock { fair in
        fair.visit(fromHandler: false)
        visits.withLock { $0.visit(fromHandler: false) }
      }
      roundCount.wrappingAdd(1, ordering: .relaxed)
    }
    runningCount.wrappingSubtract(1, ordering: .relaxed)
    while runningCount.load(ordering: .relaxed) >= 0 { usleep(100) }
  }

  /// Interrupts all threads until they end.
  private static func interruptAll() {
    while runningCount.load(ordering: .relaxed) > 0 {
      for thread in threads.withLock({ $0 }) { pthread_kill(thread, SignalInterrupts.signal) }
      usleep(50)
    }
    threads.withLock { $0 = [] }
    runningCount.store(-1, ordering: .relaxed)
  }

  #if DEBUG
    /// What these tests would find in a lock that leaves interrupts alone.
    @Test func aPlainLockDeadlocks() async {
      let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
        SignalInterrupts.enable()
        SignalInterrupts.handling({ _ in plain.withLock {} }) { plain.withLock { SignalInterrupts.request() } }
      }
      #expect(text(of: result) == "heaplab: a spin lock was taken again by the thread that holds it\n")
    }
  #endif
}
