internal import CLabMalloc
internal import HeapSpaces

// The first allocation of all.

extension ProcessHeap {
  /// The address space that the heap reserves, and how much it chooses where it is not to reserve any: the tables of that
  /// range are small enough to be locked.
  private static var reservedByteCount: UInt { 256 << 30 }
  private static var chosenByteCount: UInt { 64 << 30 }

  /// What the space asks of the process.
  private static var hooks: SpaceHooks {
    SpaceHooks(
      wait: wait, milliseconds: { lab_malloc_milliseconds() },
      didCommit: { lab_malloc_space_scaled_end_set($0 * Granule.recordByteCount) })
  }

  /// The space, made when there is none yet, with the process's lock held; nil without memory and under a textbook policy.
  static func setUp() -> HeapSpace? {
    ProcessState.checkSize()
    let state = ProcessState()
    if state.space != 0 { return processSpace }
    if state.textbook != 0 { return nil }
    state.fields.settings = Settings.fromEnvironment()
    setUpForkWord()
    if state.fields.settings.policy != .general {
      guard let heap = TextbookHeap.create(state.fields.settings) else { return nil }
      if state.fields.settings.showsStatistics { reportAtExit() }
      state.textbook = heap.address
      return nil
    }
    let reserves = state.fields.settings.reservesAddressSpace
    let wanted = reserves ? reservedByteCount : chosenByteCount
    guard let reservation = HeapReservation.make(byteCount: wanted, reserves: reserves) else { return nil }
    guard let space = HeapSpace.create(over: reservation, hooks: hooks) else {
      reservation.release()
      return nil
    }
    space.quotaByteCount = state.fields.settings.limitByteCount
    // Where the space lies, before anybody finds it: a child of a fork in between must see both.
    lab_malloc_space_set(reservation.base)
    state.space = space.address
    if state.fields.settings.showsStatistics { reportAtExit() }
    return space
  }

  private static func reportAtExit() {
    lab_malloc_at_exit { ProcessHeap.report() }
  }
}
