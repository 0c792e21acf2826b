internal import CLabRecord

// The frames of a thread's last walk, as a list from the innermost to the outermost. Two stacks in turn mostly differ in
// a few frames at their inner ends. Where a walk comes to a frame of the list, it need not find rules any more: the next
// frame is the same as before if the two words that led to it, its return address and its frame pointer's saved value,
// still have the same values. So a walk of 32 frames is some 80 loads, none of which waits for another.
//
// Frames are made one behind the other in the thread's memory; when that is full, the list is forgotten.

/// A frame in a thread's list: its three registers, its caller's frame, and the two words of the stack that led there.
struct WalkedFrame: Equatable {
  /// The memory of a thread's frames. Its first words: how many bytes are used, the innermost frame, and 0.
  static var poolByteCount: UInt { frameByteCount * 256 }
  private static var frameByteCount: UInt { 48 }

  /// Where the frame is; 0 for none.
  private let place: UInt

  static var none: WalkedFrame { WalkedFrame(place: 0) }

  /// The return address into the frame's function.
  @inline(__always) var address: UInt { lab_record_load(place) }
  @inline(__always) private var stackPointer: UInt { lab_record_load(place &+ 8) }
  @inline(__always) private var framePointer: UInt { lab_record_load(place &+ 16) }
  /// The frame that called this one, if a walk went there.
  @inline(__always) var caller: WalkedFrame { WalkedFrame(place: lab_record_load(place &+ 24)) }

  /// The registers in the frame.
  @inline(__always) var position: StackPosition {
    StackPosition(address: address, stackPointer: stackPointer, framePointer: framePointer)
  }

  /// The caller's frame if the stack still has the words that led to it; `none` where that cannot be said.
  @inline(__always) var unchangedCaller: WalkedFrame {
    let caller = caller
    guard caller != .none, lab_record_load(lab_record_load(place &+ 40)) == caller.address,
      lab_record_load(lab_record_load(place &+ 32)) == caller.framePointer
    else { return .none }
    return caller
  }

  /// Remembers the caller's frame and where its frame pointer was: the step is not plain if more than that led to it.
  @inline(__always) func link(to caller: WalkedFrame, _ step: StackWalk.Step, in pool: UInt) {
    lab_record_set(place &+ 24, UInt64(caller.place))
    // A frame pointer that stayed in its register is the same in both frames.
    lab_record_set(place &+ 32, UInt64(step.savedPlace == 0 ? place &+ 16 : step.savedPlace))
    // No return address is the pool's 0.
    lab_record_set(place &+ 40, UInt64(step.isPlain ? caller.stackPointer &- 8 : pool &+ 16))
  }

  /// The first frame from this one on that is not further in than `stackPointer`.
  @inline(__always) func outward(to stackPointer: UInt) -> WalkedFrame {
    var frame = self
    while frame != .none, frame.stackPointer < stackPointer { frame = frame.caller }
    return frame
  }

  /// The innermost frame of the last walk. Forgets the list when fewer than `count` more frames have room.
  @inline(__always) static func innermost(in pool: UInt, leaving count: UInt) -> WalkedFrame {
    let used = lab_record_load(pool)
    guard used != 0, used &+ count &* frameByteCount <= poolByteCount else {
      lab_record_set(pool, UInt64(frameByteCount))
      return .none
    }
    return WalkedFrame(place: lab_record_load(pool &+ 8))
  }

  /// A new frame, without a caller. There must be room.
  @inline(__always) static func make(_ position: StackPosition, in pool: UInt) -> WalkedFrame {
    let used = lab_record_load(pool)
    lab_record_set(pool, UInt64(used &+ frameByteCount))
    let place = pool &+ used
    lab_record_set(place, UInt64(position.address))
    lab_record_set(place &+ 8, UInt64(position.stackPointer))
    lab_record_set(place &+ 16, UInt64(position.framePointer))
    lab_record_set(place &+ 24, 0)
    return WalkedFrame(place: place)
  }

  /// Makes this frame the innermost one of the list.
  @inline(__always) func begin(in pool: UInt) { lab_record_set(pool &+ 8, UInt64(place)) }
}
