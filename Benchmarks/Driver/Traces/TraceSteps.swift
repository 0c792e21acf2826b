import AllocationTraces
import CLabDriver

// The calls of a recorded program, grouped by thread and in their order within a thread:
//
//   steps of thread t = steps[starts[t] ..< starts[t + 1]],   positions[i] = the place of steps[i] in the recording.

/// The calls of a trace file, grouped by thread.
struct TraceSteps: ~Copyable {
  let steps: MappedTable<TraceStep>
  let positions: MappedTable<UInt32>
  let starts: MappedTable<Int>
  let threadCount: Int
  let objectCount: Int

  /// The most threads that a trace may have here.
  static let threadCountMost = 1024

  /// The first `limit` calls of the file at `path`, or all of them; ends the process when the file cannot be read.
  init(path: Text, limit: Int?) {
    // SAFETY: the path is the end of an argument, which a zero follows.
    let descriptor = unsafe lab_file_open(path.cString)
    var status = stat()
    // SAFETY: the out-parameter is this function's own.
    guard descriptor >= 0, unsafe fstat(descriptor, &status) == 0, status.st_size > 0 else {
      stop("cannot read trace", path)
    }
    let byteCount = Int(status.st_size)
    // SAFETY: a new mapping of the file, unmapped after its last use.
    let start = unsafe mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0)
    close(descriptor)
    guard let start = unsafe start, unsafe lab_mapping_failed(start) == 0 else { stop("cannot map trace", path) }
    defer { unsafe munmap(start, byteCount) }
    let bytes = unsafe Span<UInt8>(_unsafeStart: start.assumingMemoryBound(to: UInt8.self), count: byteCount)

    var counts = InlineArray<1025, Int>(repeating: 0)
    var (threadCount, objectCount, callCount) = (1, 0, 0)
    Self.forEachStep(of: bytes, path) { step, _ in
      guard limit.map({ callCount < $0 }) ?? true else { return false }
      guard step.thread < Self.threadCountMost else { stop("replays at most 1,024 threads, more are in", path) }
      counts[Int(step.thread) + 1] += 1
      threadCount = max(threadCount, Int(step.thread) + 1)
      if step.kind != .deallocate { objectCount = Int(step.object) + 1 }
      callCount += 1
      return true
    }
    if let limit, callCount < limit {
      stop("--operations is beyond the calls of the trace,", number: callCount, "calls")
    }
    for thread in 0..<Self.threadCountMost { counts[thread + 1] += counts[thread] }
    let starts = MappedTable<Int>(count: threadCount + 1)
    for thread in 0...threadCount { starts[thread] = counts[thread] }

    let steps = MappedTable<TraceStep>(count: callCount)
    let positions = MappedTable<UInt32>(count: callCount)
    Self.forEachStep(of: bytes, path) { step, position in
      guard position < callCount else { return false }
      let place = counts[Int(step.thread)]
      steps[place] = step
      positions[place] = UInt32(position)
      counts[Int(step.thread)] += 1
      return true
    }
    self.steps = steps
    self.positions = positions
    self.starts = starts
    self.threadCount = threadCount
    self.objectCount = objectCount
  }

  /// Passes each call and its position to `body`, until that returns false.
  private static func forEachStep(of bytes: Span<UInt8>, _ path: Text, _ body: (TraceStep, Int) -> Bool) {
    do throws(TraceError) {
      var decoder = TraceDecoder(after: try TraceHeader(decoding: bytes))
      var thread: UInt16 = 0
      var position = 0
      while true {
        let newObject = decoder.objectCount
        guard let event = try decoder.next(in: bytes) else { return }
        if case .threadBecomes(let number) = event { thread = UInt16(clamping: number) }
        if let step = TraceStep(event, newObject: newObject, thread: thread) {
          guard body(step, position) else { return }
          position += 1
        }
      }
    } catch {
      stop("cannot decode trace", path, "; 'heapbench explain' says where it is damaged")
    }
  }
}
