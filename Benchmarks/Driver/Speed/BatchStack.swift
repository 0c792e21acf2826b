import CLabDriver

/// Batches on their way from the threads that allocate to the threads that free. The last one put is taken first. A
/// thread sleeps while there is no room or no batch.
@safe struct BatchStack: ~Copyable {
  /// How many batches wait at most.
  private static let capacity = 100

  @unsafe private struct State {
    // SAFETY: a zeroed mutex is an unlocked one, as are the conditions below ones without waiters.
    var mutex = unsafe pthread_mutex_t()
    var hasRoom = pthread_cond_t()
    var hasBatch = pthread_cond_t()
    var top: BlockBatch?
    var count = 0
    var putterCount: Int
  }

  /// In a mapping of its own: a mutex may not move.
  private let state: UnsafeMutablePointer<State>

  /// An empty stack, into which that many threads put batches.
  init(putterCount: Int) {
    // SAFETY: a new mapping with room for the state.
    unsafe state = mapped(MemoryLayout<State>.stride).bindMemory(to: State.self, capacity: 1)
    unsafe state.initialize(to: State(putterCount: putterCount))
  }

  // SAFETY: no thread uses the stack any more, and the mapping has this length.
  deinit { unsafe munmap(state, MemoryLayout<State>.stride) }

  /// Puts a batch, as soon as there is room.
  borrowing func put(_ batch: BlockBatch) {
    // SAFETY: the body holds the mutex, and the state stays where it is.
    unsafe withLock { state in
      while unsafe state.pointee.count >= Self.capacity {
        unsafe pthread_cond_wait(&state.pointee.hasRoom, &state.pointee.mutex)
      }
      // SAFETY: likewise.
      batch.next = unsafe state.pointee.top
      unsafe state.pointee.top = batch
      unsafe state.pointee.count += 1
      unsafe pthread_cond_signal(&state.pointee.hasBatch)
    }
  }

  /// Takes a batch, as soon as there is one; nil when all have been taken that will ever be put.
  borrowing func take() -> BlockBatch? {
    // SAFETY: as in `put`.
    unsafe withLock { state in
      while unsafe state.pointee.count == 0 && state.pointee.putterCount > 0 {
        unsafe pthread_cond_wait(&state.pointee.hasBatch, &state.pointee.mutex)
      }
      // SAFETY: likewise.
      guard let batch = unsafe state.pointee.top else { return nil }
      unsafe state.pointee.top = batch.next
      unsafe state.pointee.count -= 1
      unsafe pthread_cond_signal(&state.pointee.hasRoom)
      return batch
    }
  }

  /// Announces that a thread puts no more.
  borrowing func endPutting() {
    // SAFETY: as in `put`.
    unsafe withLock { state in
      unsafe state.pointee.putterCount -= 1
      unsafe pthread_cond_broadcast(&state.pointee.hasBatch)
    }
  }

  private borrowing func withLock<Result>(_ body: (UnsafeMutablePointer<State>) -> Result) -> Result {
    // SAFETY: the mutex stays where it is, in the stack's own mapping.
    unsafe pthread_mutex_lock(&state.pointee.mutex)
    defer { unsafe pthread_mutex_unlock(&state.pointee.mutex) }
    return unsafe body(state)
  }
}
