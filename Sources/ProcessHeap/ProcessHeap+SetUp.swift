internal import CLabMalloc
internal import HeapSpaces
internal import Synchronization

// The set-up, at the first allocation.

extension ProcessHeap {
  /// How much address space the heap reserves where the settings ask for it. Otherwise its range has no limit but the
  /// processor's.
  private static var reservedByteCount: UInt { 256 << 30 }

  /// The functions that the space calls in the process.
  private static var hooks: SpaceHooks {
    SpaceHooks(
      wait: wait, milliseconds: { lab_malloc_milliseconds() },
      didCommit: { lab_malloc_space_scaled_end_set($0 * Granule.recordByteCount) })
  }

  /// The space, made if there is none yet, with the process's lock held; nil without memory, and under a textbook
  /// policy.
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
    let most = reserves ? reservedByteCount : .max
    guard let reservation = HeapReservation.make(byteCount: most, reserves: reserves) else { return nil }
    guard let space = HeapSpace.create(over: reservation, hooks: hooks) else {
      reservation.release()
      return nil
    }
    space.quotaByteCount = state.fields.settings.limitByteCount
    // The base comes before the space's address is published: a child of a fork in between must not see the space
    // without it.
    lab_malloc_space_set(space.fields.base, space.fields.table)
    state.space = space.address
    if state.fields.settings.purgesInBackground { BackgroundPurge.allow() }
    state.fields.sampleMean.store(state.fields.settings.sampleMean, ordering: .relaxed)
    Telemetry.begin(space)
    if state.fields.settings.showsStatistics { reportAtExit() }
    return space
  }

  private static func reportAtExit() {
    lab_malloc_at_exit { ProcessHeap.report() }
  }
}
