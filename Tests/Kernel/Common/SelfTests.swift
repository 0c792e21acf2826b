import Machine
import Synchronization

/// Counts the expectations that did not hold in the running test, on any processor.
let failureCount = Atomic<UInt>(0)

nonisolated(unsafe) var passedCount: UInt64 = 0
nonisolated(unsafe) var failedCount: UInt64 = 0

/// Runs a test and shows whether it passed.
func test(_ name: StaticString, _ body: () -> Void) {
  failureCount.store(0, ordering: .relaxed)
  body()
  let passed = failureCount.load(ordering: .relaxed) == 0
  if passed { passedCount += 1 } else { failedCount += 1 }
  show(passed ? "  pass  " : "  FAIL  ")
  line(name)
}

/// Notes what does not hold; the first few are shown.
func expect(_ holds: Bool, _ what: StaticString, _ found: @autoclosure () -> UInt64 = 0) {
  if holds { return }
  guard failureCount.wrappingAdd(1, ordering: .relaxed).oldValue < 4 else { return }
  show("        not so: ")
  show(what)
  show(", found ")
  show(hex: found())
  show("\n")
}
