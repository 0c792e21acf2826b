import Foundation
import Synchronization
import Testing

@testable import HeapBenchKit

@Suite struct ReplayPaceTests {
  @Test func aThreadWaitsForTheSlowestAtTheWindowsEnd() {
    let pace = ReplayPace(threadCount: 2)
    pace.wait(0, at: ReplayPace.windowStepCount)  // as far as it may be

    final class Flag: Sendable { let value = Atomic<Bool>(false) }
    let isPast = Flag()
    let slowest = Thread {
      Thread.sleep(forTimeInterval: 0.05)
      isPast.value.store(true, ordering: .releasing)
      pace.wait(1, at: 10)
    }
    slowest.start()
    pace.wait(0, at: ReplayPace.windowStepCount + 10)
    let wasPast = isPast.value.load(ordering: .acquiring)
    #expect(wasPast)
  }

  @Test func aFinishedThreadHoldsNobodyUp() {
    let pace = ReplayPace(threadCount: 3)
    pace.finish(1)
    pace.finish(2)
    pace.wait(0, at: 1_000_000_000)
  }
}
