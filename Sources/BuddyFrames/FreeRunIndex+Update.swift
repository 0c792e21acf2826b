// Taking runs and giving them back. A run of order 6t + s, s < 6, is 2^s bits of a word of level t (its units); the
// change then climbs as far as it changes anything: by wholly free pieces that are so no longer (or again), which
// are the units of the next level, and by the bits that say "none of this order".

extension FreeRunIndex {
  /// Takes the free run of `order` at `frame`.
  ///
  /// - Returns: The order of the largest free run it was part of, which its parts outside the taken run remain of.
  @inline(__always)
  func take(_ frame: UInt, order: UInt8) -> UInt8 {
    settle()
    if order < 6 { return takeFrames(frame, order: order) }
    // The words below a run that is used as a whole say nothing.
    let first = frameWord(frame >> 6)
    if cursor >= first && cursor < first &+ (8 &<< UInt(order &- 6)) { cursor = unknownCursor }
    if order < 12 { return takeWords(frame >> 6, order: order &- 6) }
    if order < 18 { return takeNodes(frame >> 12, order: order &- 12) }
    for smaller in 0...UInt8(18) { exclude(frame >> 18, from: 3, order: smaller) }
    return 18
  }

  /// Gives back the run of `order` at `frame`, which was taken as a whole.
  ///
  /// - Returns: The order of the largest free run it is part of now.
  @inline(__always)
  func give(_ frame: UInt, order: UInt8) -> UInt8 {
    settle()
    cursor = min(cursor, frameWord(frame >> 6))
    if order < 6 { return giveFrames(frame, order: order) }
    if order < 12 { return giveWords(frame >> 6, order: order &- 6) }
    if order < 18 { return giveNodes(frame >> 12, order: order &- 12) }
    for smaller in 0...UInt8(18) { _ = include(frame >> 18, in: 3, order: smaller) }
    return 18
  }

  // One function for each level, so that in each the level is a constant.

  @inline(never)
  private func takeFrames(_ unit: UInt, order: UInt8) -> UInt8 { takeUnits(ofLevel: 0, unit, order: order) }

  @inline(never)
  private func takeWords(_ unit: UInt, order: UInt8) -> UInt8 { takeUnits(ofLevel: 1, unit, order: order) }

  @inline(never)
  private func takeNodes(_ unit: UInt, order: UInt8) -> UInt8 { takeUnits(ofLevel: 2, unit, order: order) }

  @inline(never)
  private func giveFrames(_ unit: UInt, order: UInt8) -> UInt8 { giveUnits(ofLevel: 0, unit, order: order) }

  @inline(never)
  private func giveWords(_ unit: UInt, order: UInt8) -> UInt8 { giveUnits(ofLevel: 1, unit, order: order) }

  @inline(never)
  private func giveNodes(_ unit: UInt, order: UInt8) -> UInt8 { giveUnits(ofLevel: 2, unit, order: order) }

  // MARK: Taking

  /// Takes 2^`order` units of a level, 0 to 2; returns the order of the free run they were cut from.
  @inline(__always)
  private func takeUnits(ofLevel level: Int, _ unit: UInt, order: UInt8) -> UInt8 {
    let piece = unit >> 6
    let position = UInt64(unit & 63)
    let taken = RunWord.run(at: position, order: order)
    let base = UInt8(truncatingIfNeeded: 6 &* level)
    // Below a unit that is used as a whole there is no free run of any order.
    var smaller: UInt8 = 0
    while smaller < base {
      let address = nodeWord(level: level, node: piece, order: UInt(smaller))
      let none = word(at: address) | taken
      setWord(at: address, to: none)
      if none == ~0 { exclude(piece, from: level &+ 1, order: smaller) }
      smaller &+= 1
    }
    let address = unitWord(level: level, piece: piece)
    let before = word(at: address)
    setWord(at: address, to: before | taken)
    if before == 0 { return split(piece, level: level &+ 1) }

    // Cutting a larger run leaves its halves; taking a whole one may leave nothing of its order nor of those below.
    let source = RunWord(used: before).maximalOrder(at: position)
    let after = RunWord(used: before | taken)
    if !after.hasRun(order: source) {
      exclude(piece, from: level &+ 1, order: base &+ source)
      if source == order {
        var smaller = source
        while smaller > 0 {
          smaller &-= 1
          if after.hasRun(order: smaller) { break }
          exclude(piece, from: level &+ 1, order: base &+ smaller)
        }
      }
    }
    return base &+ source
  }

  /// Notes that `unit` of a level, 1 to 3, is wholly free no longer; returns the order of the free run it was part of.
  @inline(__always)
  func split(_ unit: UInt, level: Int) -> UInt8 {
    var unit = unit
    if level <= 1 {
      if let order = split(unit, ofLevel: 1) { return order }
      unit >>= 6
    }
    if level <= 2 {
      if let order = split(unit, ofLevel: 2) { return order }
      unit >>= 6
    }
    exclude(unit, from: 3, order: 18)
    return 18
  }

  /// As `split(_:level:)` within level 1 or 2; nil when all units of its piece were free.
  @inline(__always)
  private func split(_ unit: UInt, ofLevel level: Int) -> UInt8? {
    let piece = unit >> 6
    let position = UInt64(unit & 63)
    let address = unitWord(level: level, piece: piece)
    let before = word(at: address)
    let after = before | 1 &<< position
    setWord(at: address, to: after)
    if before == 0 { return nil }
    let source = RunWord(used: before).maximalOrder(at: position)
    let order = UInt8(truncatingIfNeeded: 6 &* level) &+ source
    if !RunWord(used: after).hasRun(order: source) { exclude(piece, from: level &+ 1, order: order) }
    return order
  }

  /// Notes in `level`, 1 and up, that `piece` of the level below has no free run of `order`, and above as far as
  /// that makes it so for whole nodes.
  @inline(__always)
  func exclude(_ piece: UInt, from level: Int, order: UInt8) {
    var piece = piece
    if level <= 1 {
      if !exclude(piece, at: level1Word(node: piece >> 6, order: UInt(order))) { return }
      piece >>= 6
    }
    if level <= 2 {
      if !exclude(piece, at: level2Word(node: piece >> 6, order: UInt(order))) { return }
      piece >>= 6
    }
    var level = max(level, 3)
    while exclude(piece, at: upperWord(level: level, node: piece >> 6, order: UInt(order))), level < topLevel {
      piece >>= 6
      level &+= 1
    }
  }

  /// Sets the bit of `piece` in the word at `address`; returns whether all are set now.
  @inline(__always)
  private func exclude(_ piece: UInt, at address: UInt) -> Bool {
    let none = word(at: address) | 1 &<< UInt64(piece & 63)
    setWord(at: address, to: none)
    return none == ~0
  }

  // MARK: Giving back

  /// Gives back 2^`order` units of a level, 0 to 2; returns the order of the free run they are part of now.
  @inline(__always)
  private func giveUnits(ofLevel level: Int, _ unit: UInt, order: UInt8) -> UInt8 {
    let piece = unit >> 6
    let position = UInt64(unit & 63)
    let given = RunWord.run(at: position, order: order)
    let base = UInt8(truncatingIfNeeded: 6 &* level)
    var smaller: UInt8 = 0
    while smaller < base {
      let address = nodeWord(level: level, node: piece, order: UInt(smaller))
      let none = word(at: address)
      setWord(at: address, to: none & ~given)
      if none == ~0 { _ = include(piece, in: level &+ 1, order: smaller) }
      smaller &+= 1
    }
    let address = unitWord(level: level, piece: piece)
    let after = word(at: address) & ~given
    setWord(at: address, to: after)
    if after == 0 { return merge(piece, level: level &+ 1) }
    let merged = RunWord(used: after).maximalOrder(at: position)
    includeOrders(upTo: merged, of: piece, base: base, level: level &+ 1)
    return base &+ merged
  }

  /// Notes that `unit` of a level, 1 to 3, is wholly free again; returns the order of the free run it is part of now.
  @inline(__always)
  func merge(_ unit: UInt, level: Int) -> UInt8 {
    var unit = unit
    if level <= 1 {
      if let order = merge(unit, ofLevel: 1) { return order }
      unit >>= 6
    }
    if level <= 2 {
      if let order = merge(unit, ofLevel: 2) { return order }
      unit >>= 6
    }
    _ = include(unit, in: 3, order: 18)
    return 18
  }

  /// As `merge(_:level:)` within level 1 or 2; nil when all units of its piece are free now.
  @inline(__always)
  private func merge(_ unit: UInt, ofLevel level: Int) -> UInt8? {
    let piece = unit >> 6
    let position = UInt64(unit & 63)
    let address = unitWord(level: level, piece: piece)
    let after = word(at: address) & ~(1 &<< position)
    setWord(at: address, to: after)
    if after == 0 { return nil }
    // The unit's buddies were free: of all orders, at most this one is new.
    let order = UInt8(truncatingIfNeeded: 6 &* level) &+ RunWord(used: after).maximalOrder(at: position)
    _ = include(piece, in: level &+ 1, order: order)
    return order
  }

  /// Notes in `level` that `piece` has free runs of the orders `base` to `base + order`.
  ///
  /// Whoever has a run of an order has runs of the smaller ones: the first order already noted ends the loop.
  @inline(__always)
  func includeOrders(upTo order: UInt8, of piece: UInt, base: UInt8, level: Int) {
    var order = order
    while include(piece, in: level, order: base &+ order), order > 0 { order &-= 1 }
  }

  /// Notes in `level`, 1 and up, that `piece` of the level below has a free run of `order`, and above where that
  /// is the first of its node. Returns whether that is new.
  @inline(__always)
  func include(_ piece: UInt, in level: Int, order: UInt8) -> Bool {
    let address = nodeWord(level: level, node: piece >> 6, order: UInt(order))
    let none = word(at: address)
    let bit: UInt64 = 1 &<< UInt64(piece & 63)
    if none & bit == 0 { return false }
    setWord(at: address, to: none & ~bit)
    if none == ~0 { includeNode(piece >> 6, in: level &+ 1, order: order) }
    return true
  }

  /// Notes in `level`, 2 and up, that a node of the level below has a free run of `order`, and above where that is
  /// the first of its node.
  @inline(__always)
  private func includeNode(_ node: UInt, in level: Int, order: UInt8) {
    var piece = node
    if level <= 2 {
      if !include(piece, at: level2Word(node: piece >> 6, order: UInt(order))) { return }
      piece >>= 6
    }
    var level = max(level, 3)
    while level <= topLevel, include(piece, at: upperWord(level: level, node: piece >> 6, order: UInt(order))) {
      piece >>= 6
      level &+= 1
    }
  }

  /// Clears the bit of `piece` in the word at `address`; returns whether all were set.
  @inline(__always)
  private func include(_ piece: UInt, at address: UInt) -> Bool {
    let none = word(at: address)
    setWord(at: address, to: none & ~(1 &<< UInt64(piece & 63)))
    return none == ~0
  }

  /// The address of the word whose bits are the units of a level, 0 to 2, in `piece`.
  @inline(__always)
  private func unitWord(level: Int, piece: UInt) -> UInt {
    level == 0 ? frameWord(piece) : nodeWord(level: level, node: piece, order: UInt(truncatingIfNeeded: 6 &* level))
  }
}
