import AllocationTraces
import Foundation

// The calls of a process's threads become one sequence, by their time stamps; addresses become objects.
//
// A stamp is a reading of the processor's counter, which other instructions may pass. Two stamps of different threads
// that lie closer than that may be in the wrong order. It matters only where one thread gets the block that another one
// has just freed. So a thread that gets an address in use waits until that is freed: the free is on its way in another
// thread's records. If it does not come within the window, the free was lost, which happens when a process is killed or
// a signal handler interrupts the recorder; then the block's object ends here.

/// Makes a trace of one process's raw records.
struct RecordingMerge {
  /// What the merge found.
  struct Outcome {
    /// The calls of the trace.
    var callCount: UInt64 = 0
    /// The threads that made them.
    var threadCount = 0
    /// The frees of blocks from before the recording.
    var earlierCount = 0
    /// The frees that were lost.
    var lostFreeCount = 0
  }

  /// How long a thread waits for the free of the address that it got.
  private static let windowNanoseconds = 20_000_000.0

  private var streams: [RawCalls]
  private let nanosecondsPerTick: Double
  private let startTicks: UInt64
  private let sampleByteCount: UInt64
  private let writer: TraceFileWriter
  private var heap = StreamHeap()
  /// The objects by their addresses; also, in a realloc, `nil` for a block from before the recording.
  private var live: [UInt64: UInt64] = [:]
  private var reallocating: [UInt64: (address: UInt64, object: UInt64?)] = [:]
  /// The stream that waits for an address.
  private var waiting: [UInt64: Int] = [:]
  private var deadlines: [(ticks: UInt64, address: UInt64)] = []
  private var threads: [UInt64: UInt64] = [:]
  private var thread: UInt64 = 0
  private var objectCount: UInt64 = 0
  private var marks: [String] = []
  private var stacks: RecordedStackTable
  private var lastMicroseconds: UInt64 = 0
  private(set) var outcome = Outcome()

  /// A merge of a recording; `sampleByteCount` is the mean distance of its samples, 0 where all calls were recorded.
  init(
    _ recording: RawRecording, nanosecondsPerTick: Double, sampleByteCount: UInt64 = 0, to writer: TraceFileWriter
  ) {
    self.sampleByteCount = sampleByteCount
    streams = recording.rings.map { RawCalls($0, of: recording.file) }
    stacks = RecordedStackTable(recording.maps)
    startTicks = recording.startTicks
    self.nanosecondsPerTick = nanosecondsPerTick
    self.writer = writer
  }

  /// The names of the marks, by number.
  var markNames: [String] { marks }

  /// The call stacks, with the names that are known.
  var callStacks: CallStackTable { stacks.symbolized() }

  /// Writes all events. `progress` is called now and then with the number of calls so far, and ends the merge by false.
  mutating func run(_ progress: (UInt64) -> Bool) throws {
    for stream in streams.indices { push(stream) }
    while true {
      if let deadline = deadlines.first, heap.isEmpty || heap.leastTicks > deadline.ticks {
        deadlines.removeFirst()
        try giveUpWaiting(for: deadline.address)
        continue
      }
      guard let stream = heap.pop() else { break }
      guard let call = streams[stream].next else { continue }
      if call.isAllocation, live[call.address] != nil {
        wait(stream, call)
        continue
      }
      try take(call)
      streams[stream].advance()
      push(stream)
      if writer.callCount & 0xFFFF == 0, !progress(writer.callCount) { break }
    }
    outcome.callCount = writer.callCount
    outcome.threadCount = threads.count
  }

  private mutating func push(_ stream: Int) {
    for stack in streams[stream].takeStacks() { stacks.add(stack) }
    guard let call = streams[stream].next else { return }
    // A free comes before an allocation with the same stamp.
    heap.push(stream, ticks: call.ticks << 1 | (call.isAllocation ? 1 : 0))
  }

  private mutating func wait(_ stream: Int, _ call: RawCall) {
    guard waiting[call.address] == nil else {
      // Two threads cannot both have it; the first one's free was lost.
      endLost(call.address)
      push(stream)
      return
    }
    waiting[call.address] = stream
    let window = UInt64(Self.windowNanoseconds / nanosecondsPerTick)
    deadlines.append(((call.ticks + window) << 1, call.address))
  }

  private mutating func giveUpWaiting(for address: UInt64) throws {
    guard let stream = waiting.removeValue(forKey: address) else { return }
    endLost(address)
    push(stream)
  }

  /// Ends the object at an address whose free was lost.
  private mutating func endLost(_ address: UInt64) {
    guard let object = live.removeValue(forKey: address) else { return }
    outcome.lostFreeCount += 1
    try? writer.append(.deallocate(object: object))
  }

  /// Lets the stream go on that waits for an address.
  private mutating func release(_ address: UInt64) {
    if let stream = waiting.removeValue(forKey: address) { push(stream) }
  }

  private mutating func take(_ call: RawCall) throws {
    if let mark = call.mark {
      try prepare(call)
      try writer.append(.mark(number: UInt64(marks.count)))
      marks.append(mark)
      return
    }
    switch call.kind {
    // Calls have kinds of two words.
    case .extended, .stack, .shortMalloc, .shortCalloc, .shortFree: return
    case .free:
      try end(live.removeValue(forKey: call.address), call)
      release(call.address)
    case .reallocBegin:
      reallocating[call.thread] = (call.address, live.removeValue(forKey: call.address))
      release(call.address)
    case .realloc, .reallocarray: try reallocate(call)
    case .calloc: try begin(.allocateZeroed(byteCount: call.byteCount), call)
    case .malloc: try begin(.allocate(byteCount: call.byteCount), call)
    case .alignedAlloc, .posixMemalign, .memalign, .valloc, .pvalloc:
      try begin(.allocateAligned(byteCount: call.byteCount, alignmentLog2: call.alignmentLog2), call)
    }
  }

  private mutating func reallocate(_ call: RawCall) throws {
    let old = reallocating.removeValue(forKey: call.thread)
    guard call.address != 0 else {
      guard let old else { return }
      if call.byteCount == 0 { return try end(old.object, call) }
      // It failed: the old block stays.
      live[old.address] = old.object
      return
    }
    guard let object = old?.object else {
      if old != nil { try end(nil, call) }
      return try begin(.allocate(byteCount: call.byteCount), call)
    }
    try begin(.reallocate(object: object, byteCount: call.byteCount), call)
  }

  private mutating func begin(_ event: TraceEvent, _ call: RawCall) throws {
    try write(event, call)
    live[call.address] = objectCount
    objectCount += 1
  }

  private mutating func end(_ object: UInt64?, _ call: RawCall) throws {
    if object == nil { outcome.earlierCount += 1 }
    try write(object.map { .deallocate(object: $0) } ?? .deallocateEarlier, call)
  }

  private mutating func write(_ event: TraceEvent, _ call: RawCall) throws {
    let nanoseconds = try prepare(call)
    try writer.append(
      event, nanoseconds: nanoseconds,
      TraceColumnValues(
        entry: call.kind.rawValue, usableByteCount: call.extraByteCount, address: call.address,
        stack: stacks.number(of: call.stack), weightThousandths: weightThousandths(call.byteCount)))
  }

  /// An allocation is a sample with the probability 1 − exp(−bytes/distance), and stands for one over that many.
  private func weightThousandths(_ byteCount: UInt64) -> UInt64 {
    guard sampleByteCount > 0 else { return 1000 }
    return UInt64((-1000 / expm1(-Double(max(1, byteCount)) / Double(sampleByteCount))).rounded())
  }

  /// Writes the change of thread and the passage of time before an event.
  @discardableResult
  private mutating func prepare(_ call: RawCall) throws -> UInt64 {
    let number = threads[call.thread] ?? UInt64(threads.count)
    threads[call.thread] = number
    if number != thread {
      try writer.append(.threadBecomes(number: number))
      thread = number
    }
    let nanoseconds = UInt64(Double(call.ticks > startTicks ? call.ticks - startTicks : 0) * nanosecondsPerTick)
    if nanoseconds / 1000 >= lastMicroseconds + 1000 {
      try writer.append(.timePasses(microseconds: nanoseconds / 1000 - lastMicroseconds))
      lastMicroseconds = nanoseconds / 1000
    }
    return nanoseconds
  }
}

/// The streams by the stamps of their next calls: a binary heap.
private struct StreamHeap {
  private var entries: [(ticks: UInt64, stream: Int)] = []

  var isEmpty: Bool { entries.isEmpty }
  var leastTicks: UInt64 { entries[0].ticks }

  mutating func push(_ stream: Int, ticks: UInt64) {
    entries.append((ticks, stream))
    var place = entries.count - 1
    while place > 0, entries[place].ticks < entries[(place - 1) / 2].ticks {
      entries.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  mutating func pop() -> Int? {
    guard let first = entries.first else { return nil }
    let last = entries.removeLast()
    guard !entries.isEmpty else { return first.stream }
    entries[0] = last
    var place = 0
    while true {
      var child = 2 * place + 1
      guard child < entries.count else { return first.stream }
      if child + 1 < entries.count, entries[child + 1].ticks < entries[child].ticks { child += 1 }
      guard entries[child].ticks < entries[place].ticks else { return first.stream }
      entries.swapAt(place, child)
      place = child
    }
  }
}
