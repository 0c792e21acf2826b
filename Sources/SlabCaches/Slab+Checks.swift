public import Addresses
import Assertions

// What ends the process: an address that is no object of the cache, and an object that is freed twice.

extension Slab {
  /// The slab of an object and the object's number in it. Ends the process unless an object of the pool with this tag
  /// begins there; reads only what never changes, and needs no lock.
  static func slabAndIndex(of object: VirtAddr, _ layout: SlabLayout, tag: UInt) -> (Slab, UInt) {
    let slab = Slab(containing: object, layout)
    require(
      slab.start != 0 && slab.hasTag(tag), "an object must be deallocated to the slab cache that it came from, found",
      UInt64(object.raw))
    guard let index = slab.index(of: object, layout) else {
      fail("an address must be the start of an object of the slab cache, found", UInt64(object.raw))
    }
    return (slab, index)
  }

  /// Notes that an object goes to a holder or comes from one. Ends the process if it was there already.
  @usableFromInline
  static func noteHeld(_ isHeld: Bool, _ object: VirtAddr, _ layout: SlabLayout, tag: UInt) {
    let (slab, index) = slabAndIndex(of: object, layout, tag: tag)
    let wasHeld = slab.setHeld(isHeld, index, layout)
    if isHeld {
      require(!wasHeld, "a slab cache is damaged: it has an object that is in use", UInt64(object.raw))
    } else {
      require(wasHeld, "an object of a slab cache was deallocated twice", UInt64(object.raw))
    }
  }
}
