/// Why a ``LockedHeap`` did not take its first range.
public enum HeapInitError: Error, Equatable, Sendable {
  /// The heap already has its memory.
  case alreadyInitialized
  /// The range has no room for a single block.
  case rangeTooSmall
}

#if !hasFeature(Embedded)
  extension HeapInitError: CustomStringConvertible {
    public var description: String {
      switch self {
      case .alreadyInitialized: "the heap is initialised already; initialise it once, and give it more memory by insert"
      case .rangeTooSmall: "the range has no room for a block; give the heap at least 128 bytes"
      }
    }
  }
#endif
