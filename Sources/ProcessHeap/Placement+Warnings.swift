internal import Assertions
internal import MemoryRegions

// The lines about wishes that cannot be granted: what was wished for, what forbids it, the remedy, and what happens now.

extension Placement {
  private static var text: SettingText? { SettingText("HEAPLAB_PIN") }

  /// The wish exceeds what a process may lock.
  static func warnOfLimit(needed: UInt, locked: UInt, prefaulted: UInt) {
    guard let text else { return }
    var line = text.line()
    line.append(" needs ")
    line.append(Int(needed))
    line.append(" bytes of locked memory, and RLIMIT_MEMLOCK allows ")
    line.append(Int(clamping: SystemMemory.pinLimitByteCount ?? .max))
    line.append("; allow more by 'ulimit -l ")
    line.append(Int(needed / 1024 + 1))
    line.append("' or CAP_IPC_LOCK; ")
    if prefaulted == 0 {
      line.append("nothing is pinned")
    } else {
      line.append(Int(prefaulted))
      line.append(" bytes are pre-faulted, of them locked ")
      line.append(Int(locked))
    }
    SettingText.write(line)
  }

  /// The wish exceeds the memory that is left.
  static func warnOfRoom(_ room: SystemMemory.Room, pinned: UInt) {
    guard let text else { return }
    var line = text.line()
    line.append(" is more than the ")
    line.append(Int(clamping: room.byteCount))
    line.append(" bytes that ")
    line.append(room.isOfGroup ? "the control group's memory limit leaves" : "the system has available")
    line.append(room.isOfGroup ? "; raise the limit or ask for less; " : "; free memory or ask for less; ")
    warnOfPinned(pinned, line)
  }

  /// The system gave less than was asked for.
  static func warnOfRest(_ pinned: UInt) {
    guard let text else { return }
    var line = text.line()
    line.append(" is more than the system gives; free memory, raise the limits of ulimit, or ask for less; ")
    warnOfPinned(pinned, line)
  }

  private static func warnOfPinned(_ pinned: UInt, _ start: TextLine) {
    var line = start
    if pinned == 0 {
      line.append("nothing is pinned")
    } else {
      line.append(Int(pinned))
      line.append(" bytes are taken all the same")
    }
    SettingText.write(line)
  }

  /// The heap cannot pin what it takes from now on, under HEAPLAB_PIN=all.
  static func stopPinningGrowth(_ error: SystemError) {
    state.fields.placement.pinsGrowth = false
    state.fields.placement.prefaults = false
    state.fields.placement.locks = false
    guard let text else { return }
    var line = text.line()
    line.append(": no more than ")
    line.append(Int(pinnedByteCount))
    line.append(" bytes can be pinned (error ")
    line.append(Int(error.code))
    line.append("), and RLIMIT_MEMLOCK allows ")
    line.append(Int(clamping: SystemMemory.pinLimitByteCount ?? .max))
    line.append("; allow more by 'ulimit -l unlimited' or CAP_IPC_LOCK; the rest is not pinned")
    SettingText.write(line)
  }
}
