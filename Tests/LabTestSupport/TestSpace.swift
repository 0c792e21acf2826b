import Addresses
import Foundation
package import HeapSpaces
import MemoryRegions

/// The owner of a space in a test: it holds the clock, and remembers what the space told it.
///
/// A space's hooks are plain C functions. They find the owner as a task-local value, and tests that run at once do not
/// disturb each other.
package final class TestOwner: @unchecked Sendable {
  @TaskLocal private static var current: TestOwner?

  /// What the clock shows.
  package var milliseconds: UInt = 1_000_000
  /// How many granules were committed, after each commit.
  package private(set) var committedEnds: [UInt] = []

  /// Calls `body` with a new owner, which all spaces that it uses meanwhile have.
  package static func with<Result>(_ body: (TestOwner) throws -> Result) rethrows -> Result {
    let owner = TestOwner()
    return try $current.withValue(owner) { try body(owner) }
  }

  /// The hooks of a space in a test. Without an owner the clock stands still.
  package static var hooks: SpaceHooks {
    SpaceHooks(
      wait: { _ in sched_yield() }, milliseconds: { TestOwner.current?.milliseconds ?? 0 },
      didCommit: { TestOwner.current?.committedEnds.append($0) })
  }
}

/// A space over address space of its own, whose memory comes from the system and goes back.
package final class ReservedSpace {
  package let reservation: HeapReservation
  package let space: HeapSpace

  package init?(byteCount: UInt) {
    guard let reservation = HeapReservation.make(byteCount: byteCount, reserves: true) else { return nil }
    guard let space = HeapSpace.create(over: reservation, hooks: TestOwner.hooks) else { return nil }
    self.reservation = reservation
    self.space = space
  }

  deinit { try? SystemPages.unmap(reservation.base, byteCount: reservation.byteCount) }
}

/// A space over a test's own memory.
package final class MemorySpace {
  private let memory: TestMemory
  package let space: HeapSpace

  package init?(byteCount: UInt) {
    memory = TestMemory(byteCount: byteCount)
    let range = memory.range.alignedInward(to: Granule.byteCount)
    guard let space = HeapSpace.create(base: range.start.raw, byteCount: range.byteCount) else { return nil }
    self.space = space
  }
}
