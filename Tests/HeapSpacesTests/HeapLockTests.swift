import CLabPlatform
import LabTestSupport
import Synchronization
import Testing

@testable import HeapSpaces

/// The lock, and what it guards: any thread reads and writes it, under the lock only.
private final class Guarded: @unchecked Sendable {
  private let lock = HeapLock()
  var count = 0

  func acquire(_ wait: LockWait) -> Bool { lock.acquire(wait) }
  func release() { lock.release() }
  func isHeld(byOtherThan survivor: UInt) -> Bool { lock.isHeld(byOtherThan: survivor) }
}

/// What a wait told, and whom it makes go on.
private final class WaitLog: @unchecked Sendable {
  @TaskLocal static var current: WaitLog?
  var turns: [UInt32] = []
  let mayRelease = Atomic(false)
}

@Suite struct HeapLockTests {
  private static let wait: LockWait = { _ in lab_platform_yield() }

  @Test("Who holds the lock does not get it twice, and gets it again after giving it back")
  func twice() {
    let lock = Guarded()
    for _ in 0..<3 {
      #expect(lock.acquire { _ in Issue.record("nobody holds the lock") })
      #expect(!lock.acquire { _ in Issue.record("a wait for oneself never ends") })
      lock.release()
    }
  }

  @Test("A wait for another thread is called turn by turn, until that one gives the lock back")
  func turns() {
    let guarded = Guarded()
    let log = WaitLog()
    let isHeld = Atomic(false)
    Threads.run(2) { number in
      if number == 0 {
        _ = guarded.acquire(Self.wait)
        isHeld.store(true, ordering: .releasing)
        while !log.mayRelease.load(ordering: .acquiring) { lab_platform_yield() }
        guarded.count = 1
        guarded.release()
      } else {
        while !isHeld.load(ordering: .acquiring) { lab_platform_yield() }
        WaitLog.$current.withValue(log) {
          let isTaken = guarded.acquire { turn in
            WaitLog.current?.turns.append(turn)
            if WaitLog.current?.turns.count == 5 { WaitLog.current?.mayRelease.store(true, ordering: .releasing) }
            lab_platform_yield()
          }
          if !isTaken || guarded.count != 1 { Issue.record("\(isTaken), \(guarded.count)") }
          guarded.release()
        }
      }
    }
    #expect(log.turns.count >= 5 && log.turns == Array(1...UInt32(max(log.turns.count, 1))))
  }

  @Test("One thread at a time is inside")
  func excludes() {
    let guarded = Guarded()
    Threads.run(4) { _ in
      for _ in 0..<2000 {
        if !guarded.acquire(Self.wait) { Issue.record("this thread does not hold the lock") }
        guarded.count += 1
        guarded.release()
      }
    }
    #expect(guarded.count == 8000)
  }

  @Test("The lock knows whether the one thread that fork copied holds it, by its number or its address alone")
  func holder() {
    let guarded = Guarded()
    let me = UInt(lab_platform_thread())
    let myAddress = me & UInt(LAB_PLATFORM_THREAD_ADDRESS)
    let other = Atomic<UInt>(0)
    #expect(!guarded.isHeld(byOtherThan: me) && !guarded.isHeld(byOtherThan: 0))
    #expect(guarded.acquire(Self.wait))
    #expect(!guarded.isHeld(byOtherThan: me) && !guarded.isHeld(byOtherThan: myAddress))
    #expect(guarded.isHeld(byOtherThan: 0), "nobody was copied")
    Threads.run(1) { _ in
      let number = UInt(lab_platform_thread())
      other.store(number, ordering: .relaxed)
      if !guarded.isHeld(byOtherThan: number) { Issue.record("the holder is another thread") }
      if guarded.isHeld(byOtherThan: me) { Issue.record("the holder is the survivor") }
    }
    #expect(other.load(ordering: .relaxed) != me)
    guarded.release()
    #expect(!guarded.isHeld(byOtherThan: other.load(ordering: .relaxed)))
  }
}
