/// A processor's two instructions for its own interrupts: one disables them, the other enables them.
///
/// A kernel conforms an empty enum to this, with a few instructions of its processor behind it, and names the enum in
/// ``InterruptSafeLock``. The functions are static because each acts on the processor that runs it.
///
/// | processor | ``disable()`` | ``enable()`` |
/// | --- | --- | --- |
/// | x86-64 | `pushfq`, `cli`; bit 9 of the flags | `sti` |
/// | AArch64 | `mrs x0, daif`, `msr daifset, #2`; bit 7 is clear | `msr daifclr, #2` |
/// | RISC-V | `csrrci a0, sstatus, 2`; bit 1 of the old value | `csrsi sstatus, 2` |
///
/// Both must be compiler barriers for memory (in C, an `asm volatile` that clobbers `"memory"`), or accesses could move
/// out of the stretch between them.
public protocol InterruptControl {
  /// Disables interrupts on this processor.
  ///
  /// - Returns: Whether they were enabled before.
  static func disable() -> Bool

  /// Enables interrupts on this processor. Pending ones may arrive before this returns.
  static func enable()
}

extension InterruptControl {
  /// Runs `body` with interrupts disabled on this processor, and leaves them as they were. Calls may nest.
  ///
  /// This protects what belongs to one processor: magazines, a frame cache. ``InterruptSafeLock`` protects what
  /// processors share.
  @inlinable @inline(__always)
  public static func withInterruptsDisabled<Result: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let wereEnabled = disable()
    defer { if wereEnabled { enable() } }
    return try body()
  }
}
