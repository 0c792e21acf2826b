public import Addresses
import Assertions

/// What a cache's lock protects: slabs of objects, slabs of magazines, and the depot.
@usableFromInline
struct SlabCacheState: ~Copyable, Sendable {
  var objects: SlabPool
  var magazines: SlabPool
  var depot = MagazineDepot()
  let capacity: UInt

  /// How many slabs of objects were made and released, and how often there was no frame for one.
  var madeSlabCount: UInt = 0
  var releasedSlabCount: UInt = 0
  var failureCount: UInt = 0

  init(_ layout: SlabLayout, _ magazineLayout: SlabLayout, capacity: UInt, tag: UInt) {
    objects = SlabPool(layout, tag: tag)
    magazines = SlabPool(magazineLayout, tag: ~tag)
    self.capacity = capacity
  }

  deinit {
    require(
      objects.slabCount == 0 && magazines.slabCount == 0,
      "a slab cache must be drained, with no object in use, before it goes away; objects in use",
      UInt64(objects.takenCount))
  }

  /// An object for a processor whose loaded magazine is empty and whose previous one is not full, with as many more in
  /// the loaded magazine as there are; nil when no slab has one.
  ///
  /// - Complexity: O(1) if the depot has a full magazine, else O(n) for a magazine of n rounds.
  @usableFromInline
  mutating func supply(_ own: inout SlabMagazines) -> VirtAddr? {
    if let full = depot.full.pop() {
      if own.previous.magazine != .none { depot.empty.push(own.previous.magazine) }
      own.previous = own.loaded
      own.loaded = LoadedMagazine(full, count: capacity, capacity: capacity)
      return own.loaded.pop()
    }
    guard let object = objects.take() else { return nil }
    fill(&own.loaded)
    return object
  }

  /// Moves objects from slabs into an empty magazine, the lowest of each slab on top.
  private mutating func fill(_ magazine: inout LoadedMagazine) {
    while !magazine.isFull, let object = objects.take() { magazine.push(object) }
    magazine.reverse()
  }

  /// Makes room in the loaded magazine of a processor, which is full, or none: it becomes the previous one, and the
  /// previous one, which is full too, or none, goes to the depot. No magazine is loaded afterwards if there is no empty
  /// one.
  ///
  /// - Returns: Whether there are more empty slabs now than the cache keeps.
  /// - Complexity: O(1), or O(n) for a magazine of n rounds when the depot is full.
  @usableFromInline
  mutating func makeRoom(_ own: inout SlabMagazines) -> Bool {
    if !own.previous.isEmpty {
      if depot.full.count < SlabCacheLimits.depotMagazineMaximum {
        depot.full.push(own.previous.magazine)
        own.previous = LoadedMagazine()
      } else {
        flush(&own.previous)
      }
    }
    swap(&own.loaded, &own.previous)
    if own.loaded.isFull, let empty = takeEmptyMagazine() { own.loaded = empty }
    return hasSurplus
  }

  /// Whether there are more empty slabs than the cache keeps.
  var hasSurplus: Bool { objects.emptySlabCount > SlabCacheLimits.emptySlabMaximum }

  /// Returns the objects of a magazine to their slabs.
  mutating func flush(_ magazine: inout LoadedMagazine) {
    while !magazine.isEmpty { objects.put(magazine.pop()) }
  }

  /// An empty magazine, from the depot or a slab; nil when neither has one.
  @usableFromInline
  mutating func takeEmptyMagazine() -> LoadedMagazine? {
    guard let magazine = depot.empty.pop() ?? magazines.take().map({ Magazine(at: $0.raw) }) else { return nil }
    return LoadedMagazine(magazine, count: 0, capacity: capacity)
  }

  /// Ends a magazine: its objects return to their slabs, and so does it.
  mutating func discard(_ magazine: inout LoadedMagazine) {
    flush(&magazine)
    if magazine.magazine != .none { magazines.put(VirtAddr(magazine.magazine.start)) }
    magazine = LoadedMagazine()
  }

  /// Takes an object out of its slab; nil when all slabs are full.
  @usableFromInline
  mutating func takeObject() -> VirtAddr? { objects.take() }

  /// Puts an object back into its slab; returns whether there are more empty slabs now than the cache keeps.
  @usableFromInline
  mutating func putObject(_ object: VirtAddr) -> Bool {
    objects.put(object)
    return hasSurplus
  }

  /// Returns all objects of a processor's magazines to their slabs, and the magazines likewise.
  @usableFromInline
  mutating func drain(_ own: inout SlabMagazines) {
    discard(&own.loaded)
    discard(&own.previous)
  }

  /// Adds a new slab of objects, or notes that there was no frame for one.
  @usableFromInline
  mutating func add(_ slab: Slab?) {
    guard let slab else { return failureCount += 1 }
    objects.add(slab)
    madeSlabCount += 1
  }

  /// Counts anew which magazines of the depot are not taken.
  @usableFromInline
  mutating func startInterval() { depot.startInterval() }

  /// How many objects are out of their slabs.
  @usableFromInline
  var takenCount: UInt { objects.takenCount }

  /// Visits every object that is out of its slab.
  @usableFromInline
  func forEachTaken(_ body: (VirtAddr) -> Void) { objects.forEachTaken(body) }

  /// Removes an empty slab of objects if there are more than `count`, for its release.
  @usableFromInline
  mutating func removeEmptySlab(above count: UInt) -> Slab? {
    guard let slab = objects.removeEmpty(above: count) else { return nil }
    releasedSlabCount += 1
    return slab
  }

  /// Removes an empty slab of magazines if there are more than `count`, for its release.
  @usableFromInline
  mutating func removeEmptyMagazineSlab(above count: UInt) -> Slab? { magazines.removeEmpty(above: count) }

  /// Adds a new slab of magazines.
  @usableFromInline
  mutating func addMagazines(_ slab: Slab) { magazines.add(slab) }

  /// Ends a magazine of the depot, one that was not needed since the last interval began, or any; false when there is
  /// none.
  @usableFromInline
  mutating func discardOne(onlyIdle: Bool) -> Bool {
    if let full = onlyIdle ? depot.full.popIdle() : depot.full.pop() {
      var magazine = LoadedMagazine(full, count: capacity, capacity: capacity)
      discard(&magazine)
      return true
    }
    if let empty = onlyIdle ? depot.empty.popIdle() : depot.empty.pop() {
      magazines.put(VirtAddr(empty.start))
      return true
    }
    return false
  }
}
