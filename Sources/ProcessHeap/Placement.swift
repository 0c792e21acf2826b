internal import CLabMalloc
internal import HeapSpaces
internal import MemoryRegions
internal import Synchronization

// Where the heap's memory lies: pinned, and on pages of which size (Placement+Huge.swift).
//
// HEAPLAB_PIN=SIZE commits that much of the space at the set-up, puts memory behind it and locks it: the lowest granules,
// which the space gives out first. Its tables come on top, 1 MiB for each GiB. With HEAPLAB_PIN_OVERFLOW=fail the space is
// sealed then: neither it nor anybody else here takes memory from the system any more. With `spill` it goes on as ever
// behind the pinned part. HEAPLAB_PIN=all without a limit pins whatever the heap takes, when it takes it.
//
// When the wish cannot be granted, one line names the wish, the limit and the remedy. Then `spill` goes on without pins,
// as if nothing had been asked for. `fail` means that malloc must not take memory later. So it takes the memory all the
// same, locks as much of it as the limit allows, and is sealed.
//
// A child of fork inherits no locks. Its heap goes on unpinned, and a sealed one may grow there. Locking at once would
// copy the whole pinned part, and most children call exec. A child that goes on can ask for it (`pinAgain`).

/// What became of the wishes. Zero bytes are the initial value. Under the process's lock and the space's.
struct PlacementRecord: ~Copyable {
  /// Whether new memory gets its pages at once, and whether these are locked.
  var prefaults = false
  var locks = false
  /// Whether the heap pins what it takes later.
  var pinsGrowth = false
  /// How many bytes of granules may be locked at the start.
  var lockMaximum: UInt = 0
  /// The memory nodes.
  var nodes = NodeRecord()
  /// Whether explicit huge pages ran out: a line says so once, and the rest is transparent.
  var hasNoHugePages = false
  /// How many bytes are on explicit huge pages. Statistics read it without a lock.
  let hugeByteCount: Atomic<UInt>
  /// How many bytes are locked, tables and mappings included. Statistics read it without a lock.
  let pinnedByteCount: Atomic<UInt>
}

enum Placement {
  static var state: ProcessState { ProcessState() }

  /// Prepares for the first memory of the space, with the process's lock held.
  static func begin() {
    beginNodes()
    switch state.fields.settings.pin {
    case .none: return
    case .growth:
      state.fields.placement.pinsGrowth = true
      setPinning(locks: true)
    case .start(let wish):
      state.fields.settings.pin = adjusted(wish)
    }
  }

  /// The wish that can be granted, with a line if that is another one.
  private static func adjusted(_ wish: UInt) -> PinWish {
    let fails = state.fields.settings.failsPastPin
    var byteCount = wish
    if let room = SystemMemory.room,
      room.byteCount < UInt64(wish + tableByteCount(for: wish) - min(wish, poolByteCount))
    {
      let left = UInt(room.byteCount)
      byteCount = fails ? (left - left / marginShare) & ~(Granule.byteCount - 1) : 0
      warnOfRoom(room, pinned: byteCount)
      guard byteCount != 0 else { return .none }
    }
    let fitting = lockRoom
    let needed = byteCount + tableByteCount(for: byteCount)
    if fitting < needed {
      let locked = fails ? (fitting - min(fitting, tableByteCount(for: byteCount))) & ~(Granule.byteCount - 1) : 0
      warnOfLimit(needed: needed, locked: locked, prefaulted: fails ? byteCount : 0)
      guard fails else { return .none }
      setPinning(locks: locked != 0)
      state.fields.placement.lockMaximum = locked
      return .start(byteCount: byteCount)
    }
    state.fields.placement.lockMaximum = .max
    setPinning(locks: true)
    return .start(byteCount: byteCount)
  }

  /// The part of the memory that is left to others when a wish exceeds it.
  private static var marginShare: UInt { 8 }

  /// How many bytes the space's tables have for so many bytes of granules, at most. The first two chunks have one GiB.
  private static func tableByteCount(for byteCount: UInt) -> UInt { (2 << 20) + byteCount / 256 }

  /// How many bytes more the process may lock.
  private static var lockRoom: UInt {
    guard let limit = SystemMemory.pinLimitByteCount, let pinned = SystemMemory.pinned, !pinned.isExempt else {
      return .max
    }
    return UInt(limit - min(limit, pinned.byteCount))
  }

  private static func setPinning(locks: Bool) {
    state.fields.placement.prefaults = true
    state.fields.placement.locks = locks
  }

  /// Takes and pins the memory that was asked for, and seals the space if it is to be all; with the process's lock held.
  static func provision(_ space: HeapSpace) {
    guard case .start(let wish) = state.fields.settings.pin else { return }
    let locked = min(wish, state.fields.placement.lockMaximum)
    if locked != 0 { _ = space.provision(byteCount: locked) }
    if locked < wish {
      state.fields.placement.locks = false
      _ = space.provision(byteCount: wish)
    }
    if space.fixedByteCount < wish {
      // What the system refuses as a whole it may give in part, and malloc will have no more. The rest is the program's.
      var part = wish / 2
      while state.fields.settings.failsPastPin, space.fixedByteCount < part { part = provisioned(part, space) }
      warnOfRest(space.fixedByteCount)
    }
    if state.fields.placement.locks { lab_malloc_lock_library() }
    state.fields.placement.prefaults = false
    state.fields.placement.locks = false
    if state.fields.settings.failsPastPin { space.seal() }
  }

  /// Tries to provision a part of the wish. Returns the next part to try.
  private static func provisioned(_ part: UInt, _ space: HeapSpace) -> UInt {
    space.provision(byteCount: part) >= part ? 0 : part / 2
  }

  /// Places memory that the space just committed. Returns whether it is fixed.
  static func didMap(_ address: UInt, byteCount: UInt, node: UInt) -> Bool {
    bind(address, byteCount: byteCount, node: node)
    let isHuge = state.fields.settings.huge != .unset && chooseHuge(address, byteCount: byteCount, node: node)
    return state.fields.placement.prefaults && pin(address, byteCount: byteCount) || isHuge
  }

  /// Places the mapping of a block that stands alone.
  static func didMapBlock(_ address: UInt, byteCount: UInt) {
    // Under `local` the thread that writes to a page decides, as everywhere.
    bind(address, byteCount: byteCount, node: SpaceHooks.noNode)
    if state.fields.settings.huge != .unset { adviseHuge(address, byteCount: byteCount) }
    if state.fields.placement.pinsGrowth { _ = pin(address, byteCount: byteCount) }
  }

  /// Locks pages, as far as pages are locked now, and puts memory behind them. Returns whether it succeeded.
  private static func pin(_ address: UInt, byteCount: UInt) -> Bool {
    do throws(SystemError) {
      if state.fields.placement.locks {
        // First the lock, on later faults: past the limit it fails at once.
        try SystemPages.pin(address, byteCount: byteCount, onFault: true)
        notePinned(byteCount)
      }
      try SystemPages.prefault(address, byteCount: byteCount)
      return true
    } catch {
      if state.fields.placement.pinsGrowth { stopPinningGrowth(error) }
      return false
    }
  }

  private static func notePinned(_ byteCount: UInt) {
    state.fields.placement.pinnedByteCount.wrappingAdd(byteCount, ordering: .relaxed)
  }

  /// The bytes that are locked. Another thread may be changing the figure.
  static var pinnedByteCount: UInt { state.fields.placement.pinnedByteCount.load(ordering: .relaxed) }
}

// In a child of fork.
extension Placement {
  /// Forgets the locks, which the child has not. Its heap may grow: where the fork met a thread amid the space's lock, all
  /// free memory is lost to it.
  static func noteFork() {
    if state.space != 0 { ProcessHeap.processSpace.unseal() }
    state.fields.placement.pinnedByteCount.store(0, ordering: .relaxed)
    state.fields.placement.pinsGrowth = false
    state.fields.placement.prefaults = false
    state.fields.placement.locks = false
  }

  /// Locks the fixed memory of the space again and puts the process's own memory behind it. Returns an errno value.
  static func pinAgain(_ space: HeapSpace) -> Int32 {
    var code: Int32 = 0
    let before = pinnedByteCount
    guard before == 0 else { return 0 }
    space.forEachFixedRange { address, byteCount in
      do throws(SystemError) {
        if code != 0 { return }
        try SystemPages.pin(address, byteCount: byteCount, onFault: true)
        try SystemPages.prefault(address, byteCount: byteCount)
        notePinned(byteCount)
      } catch {
        code = error.code
      }
    }
    return code
  }
}
