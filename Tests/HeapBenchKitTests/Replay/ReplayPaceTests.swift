import Foundation
import Synchronization
import Testing

@testable import HeapBenchKit

@Suite struct ReplayPaceTests {
  @Test func aThreadWaitsForTheSlowestAtTheWindowsEnd() {
    let pace = ReplayPace(threadCount: 2)
    var limit = 0
    pace.enter(0, at: ReplayPace.windowStepCount, limit: &limit)  // as far as it may go
    #expect(limit == ReplayPace.windowStepCount)

    let isPast = Flag()
    let slowest = Thread {
      Thread.sleep(forTimeInterval: 0.05)
      isPast.value.store(true, ordering: .releasing)
      var limit = 0
      pace.enter(1, at: 10, limit: &limit)
    }
    slowest.start()
    pace.enter(0, at: ReplayPace.windowStepCount + 10, limit: &limit)
    let wasPast = isPast.value.load(ordering: .acquiring)
    #expect(wasPast)
  }

  @Test func aFinishedThreadHoldsNobodyUp() {
    let pace = ReplayPace(threadCount: 3)
    pace.finish(1)
    pace.finish(2)
    var limit = 0
    pace.enter(0, at: 1_000_000_000, limit: &limit)
  }

  private final class Flag: Sendable { let value = Atomic<Bool>(false) }
}
