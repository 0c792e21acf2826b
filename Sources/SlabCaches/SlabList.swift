/// A list of slabs, linked through their headers: the slab pushed last comes first.
struct SlabList {
  private(set) var head = Slab(at: 0)
  private(set) var count: UInt = 0

  /// The first slab, nil when there is none.
  var first: Slab? { count == 0 ? nil : head }

  /// Puts a slab that is in no list in front.
  ///
  /// - Complexity: O(1).
  mutating func push(_ slab: Slab) {
    slab.previous = Slab(at: 0)
    slab.next = head
    if count > 0 { head.previous = slab }
    head = slab
    count += 1
  }

  /// Removes a slab of this list.
  ///
  /// - Complexity: O(1).
  mutating func remove(_ slab: Slab) {
    let (previous, next) = (slab.previous, slab.next)
    if slab == head { head = next } else { previous.next = next }
    if next.start != 0 { next.previous = previous }
    count -= 1
  }

  /// Removes the first slab and returns it, nil when there is none.
  ///
  /// - Complexity: O(1).
  mutating func pop() -> Slab? {
    guard let slab = first else { return nil }
    remove(slab)
    return slab
  }

  /// Visits the slabs.
  func forEach(_ body: (Slab) -> Void) {
    var slab = head
    for _ in 0..<count {
      // Read first: `body` may move the slab to another list.
      let next = slab.next
      body(slab)
      slab = next
    }
  }
}
