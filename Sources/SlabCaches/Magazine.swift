public import Addresses

/// A magazine in memory: a link and room for a number of objects' addresses, its *rounds*. The only code that touches
/// one.
///
/// A magazine is an object of the cache's second pool. It belongs to one processor, or to the depot.
@usableFromInline
struct Magazine: Equatable, Sendable {
  /// The address, 0 for no magazine.
  @usableFromInline let start: UInt

  @inlinable init(at start: UInt) { self.start = start }

  /// No magazine.
  @inlinable static var none: Magazine { Magazine(at: 0) }

  /// The bytes of a magazine for `capacity` rounds.
  static func byteCount(capacity: UInt) -> UInt { (1 + capacity) * UInt(MemoryLayout<UInt>.size) }

  /// The address of the first round.
  var bottom: UInt { start &+ UInt(MemoryLayout<UInt>.size) }

  /// The address past the last of `count` rounds.
  func end(_ count: UInt) -> UInt { bottom &+ count &* UInt(MemoryLayout<UInt>.size) }

  /// The next magazine in a stack of the depot.
  var next: Magazine {
    get { Magazine(at: Magazine.word(at: start)) }
    nonmutating set { Magazine.setWord(newValue.start, at: start) }
  }

  /// The round at an address.
  @inlinable @inline(__always)
  static func word(at address: UInt) -> UInt {
    // SAFETY: the address of a word of a magazine that its caller owns.
    unsafe UnsafePointer<UInt>(bitPattern: address).unsafelyUnwrapped.pointee
  }

  /// Stores the round at an address.
  @inlinable @inline(__always)
  static func setWord(_ word: UInt, at address: UInt) {
    // SAFETY: the address of a word of a magazine that its caller owns.
    unsafe UnsafeMutablePointer<UInt>(bitPattern: address).unsafelyUnwrapped.pointee = word
  }
}

/// A magazine with the place of its next round: what a processor loads.
@usableFromInline
struct LoadedMagazine: Sendable {
  /// The address of the first round; `bottom == next == top` when there is no magazine.
  @usableFromInline var bottom: UInt = 0
  /// The address of the first free place.
  @usableFromInline var next: UInt = 0
  /// The address past the last place.
  @usableFromInline var top: UInt = 0

  @inlinable init() {}

  /// A magazine with `count` rounds.
  init(_ magazine: Magazine, count: UInt, capacity: UInt) {
    bottom = magazine.bottom
    next = magazine.end(count)
    top = magazine.end(capacity)
  }

  /// The magazine, or ``Magazine/none``.
  @inlinable var magazine: Magazine { bottom == 0 ? .none : Magazine(at: bottom &- UInt(MemoryLayout<UInt>.size)) }

  /// How many rounds it has.
  var count: UInt { (next &- bottom) / UInt(MemoryLayout<UInt>.size) }

  @inlinable @inline(__always)
  var isEmpty: Bool { next == bottom }

  @inlinable @inline(__always)
  var isFull: Bool { next == top }

  /// Takes a round out; there must be one.
  @inlinable @inline(__always)
  mutating func pop() -> VirtAddr {
    next &-= UInt(MemoryLayout<UInt>.size)
    return VirtAddr(Magazine.word(at: next))
  }

  /// Puts a round in; there must be room.
  @inlinable @inline(__always)
  mutating func push(_ object: VirtAddr) {
    Magazine.setWord(object.raw, at: next)
    next &+= UInt(MemoryLayout<UInt>.size)
  }

  /// Turns the order of the rounds round.
  mutating func reverse() {
    var (low, high) = (bottom, next)
    while high &- low >= 2 &* UInt(MemoryLayout<UInt>.size) {
      high &-= UInt(MemoryLayout<UInt>.size)
      let word = Magazine.word(at: low)
      Magazine.setWord(Magazine.word(at: high), at: low)
      Magazine.setWord(word, at: high)
      low &+= UInt(MemoryLayout<UInt>.size)
    }
  }
}
