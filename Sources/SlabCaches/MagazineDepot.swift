// The depot: magazines that no processor has loaded, full and empty ones.
//
// A processor exchanges a whole magazine here, so one lock serves many allocations. Objects that one processor frees
// and another allocates travel through the depot without their slabs being touched.
//
// How many magazines the depot needs shows by itself: those that stayed untouched since the last look were not needed.
// This is the least number there was in between, and ``SlabCache/reap(to:)`` returns as many.
//
// Source: Bonwick and Adams, "Magazines and Vmem: Extending the Slab Allocator to Many CPUs and Arbitrary Resources",
// USENIX Annual Technical Conference 2001, section 3.

/// A cache's full and empty magazines. Not synchronised: the cache's lock protects it.
struct MagazineDepot {
  var full = MagazineStack()
  var empty = MagazineStack()

  /// Counts anew which magazines are not taken.
  mutating func startInterval() {
    full.startInterval()
    empty.startInterval()
  }
}

/// A stack of magazines, linked through their first words.
struct MagazineStack {
  private var head = Magazine.none
  private(set) var count: UInt = 0
  /// How many magazines were never taken since the interval began: the least that ``count`` was.
  private(set) var idleCount: UInt = 0

  /// Puts a magazine on top.
  mutating func push(_ magazine: Magazine) {
    magazine.next = head
    head = magazine
    count += 1
  }

  /// Takes the magazine that was pushed last; nil when there is none.
  mutating func pop() -> Magazine? {
    if count == 0 { return nil }
    let magazine = head
    head = magazine.next
    count -= 1
    idleCount = min(idleCount, count)
    return magazine
  }

  /// Takes a magazine away if there is one that was never taken since the interval began.
  mutating func popIdle() -> Magazine? {
    if idleCount == 0 { return nil }
    let idleCount = idleCount - 1
    defer { self.idleCount = idleCount }
    return pop()
  }

  mutating func startInterval() { idleCount = count }
}
