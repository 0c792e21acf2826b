import Dispatch
import SpinLocks
import Testing

// BEGIN
/// Requests of a service, counted by all of its threads.
let requests = Locked(0)

func serve() {
  requests.withLock { $0 += 1 }
}
// END

@Suite struct SpinLocksExample {
  @Test func aLockedValue() {
    DispatchQueue.concurrentPerform(iterations: 1000) { _ in serve() }
    #expect(requests.withLock { $0 } == 1000)
  }
}
