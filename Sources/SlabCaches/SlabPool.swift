import Addresses
import Assertions

// The slab layer: slabs and which objects are in them.
//
// A slab is in the list that its number of free objects says:
//
//   empty:    freeCount == objectCount      every object is in the slab; it can be released
//   partial:  0 < freeCount < objectCount
//   full:     freeCount == 0
//
// Objects come from a partial slab before an empty one. Used slabs thus fill up, and the others become empty. Of the
// partial slabs, the one that was freed into last comes first: its header and its objects are warm.

/// Slabs of one layout. Not synchronised: its owner's lock protects it, and the headers of its slabs.
struct SlabPool {
  let layout: SlabLayout
  /// A number that no other pool has.
  let tag: UInt

  private var partial = SlabList()
  private var full = SlabList()
  private var empty = SlabList()
  /// How many objects are out of their slabs.
  private(set) var takenCount: UInt = 0

  init(_ layout: SlabLayout, tag: UInt) {
    self.layout = layout
    self.tag = tag
  }

  /// How many slabs the pool has.
  var slabCount: UInt { partial.count + full.count + empty.count }
  /// How many slabs have all their objects in them.
  var emptySlabCount: UInt { empty.count }

  /// Adds a new slab, all of whose objects are in it.
  mutating func add(_ slab: Slab) { empty.push(slab) }

  /// Takes an object out of its slab; nil when all slabs are full.
  ///
  /// - Complexity: O(1): at most eight words of bits.
  mutating func take() -> VirtAddr? {
    guard let slab = partial.first ?? empty.first else { return nil }
    let wasEmpty = slab.freeCount == layout.objectCount
    let object = slab.take(layout)
    takenCount += 1
    if wasEmpty || slab.freeCount == 0 {
      if wasEmpty { empty.remove(slab) } else { partial.remove(slab) }
      if slab.freeCount == 0 { full.push(slab) } else { partial.push(slab) }
    }
    return object
  }

  /// Puts an object back into its slab. Ends the process unless it is an object of this pool that is out of its slab.
  ///
  /// These checks cost nothing here: the header is about to be written anyway.
  ///
  /// - Complexity: O(1).
  mutating func put(_ object: VirtAddr) {
    let (slab, index) = Slab.slabAndIndex(of: object, layout, tag: tag)
    let wasFull = slab.freeCount == 0
    require(slab.put(index), "an object of a slab cache was deallocated twice", UInt64(object.raw))
    takenCount -= 1
    let isEmpty = slab.freeCount == layout.objectCount
    if wasFull || isEmpty {
      if wasFull { full.remove(slab) } else { partial.remove(slab) }
      if isEmpty { empty.push(slab) } else { partial.push(slab) }
    }
  }

  /// Removes an empty slab if there are more than `count`, for its release.
  mutating func removeEmpty(above count: UInt) -> Slab? { empty.count > count ? empty.pop() : nil }

  /// Visits every object that is out of its slab.
  func forEachTaken(_ body: (VirtAddr) -> Void) {
    func visit(_ slab: Slab) {
      for index in 0..<layout.objectCount where !slab.contains(index) { body(slab.object(index, layout)) }
    }
    partial.forEach(visit)
    full.forEach(visit)
  }
}
