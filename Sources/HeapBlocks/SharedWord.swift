public import Synchronization

// Words of a record that its owner writes while other threads read them. The records hold them as plain integers, since
// arrays of `Atomic` crash the Embedded Swift compiler. Every access goes through this function and is atomic.

/// Calls `body` with a word of a record as an atomic.
@inlinable @inline(__always)
package func withAtomic<Value: AtomicRepresentable & BitwiseCopyable, Result>(
  _ word: inout Value, _ body: (borrowing Atomic<Value>) -> Result
) -> Result {
  // SAFETY: the representation of an integer's atomic is the integer; the word lies in a record, aligned, and is accessed as
  // an atomic only.
  unsafe withUnsafeMutablePointer(to: &word) { pointer in
    unsafe body(UnsafeRawPointer(pointer).assumingMemoryBound(to: Atomic<Value>.self).pointee)
  }
}
