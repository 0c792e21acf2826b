import Foundation

/// How a trace is replayed under an allocator.
public struct TraceReplayOptions: Sendable {
  /// What the replay writes into new blocks.
  public enum Touch: String, CaseIterable, Sendable {
    /// Nothing.
    case none
    /// A word in each page, and the last one: what makes all of the block resident.
    case first
    /// Every byte.
    case whole
  }

  /// What the replay writes.
  public var touch = Touch.first
  /// Whether calls come no earlier than they were recorded, to the millisecond.
  public var keepsPace = false

  /// The defaults.
  public init() {}
}

/// Writes the steps of a plan to the driver, batch by batch: see `StreamedReplay` there.
struct TraceFeed {
  /// The steps of a batch. Where there are other threads, it bounds how far one may be ahead.
  private static func stepCountMax(threadCount: Int) -> Int { threadCount == 1 ? 16384 : 512 }

  private let plan: ReplayPlan
  private let options: TraceReplayOptions
  private let descriptor: Int32
  private let stepCountMax: Int
  private var runs: [[UInt8]]
  private var counts: [UInt32]
  private var stepCount = 0
  private var isBroken = false

  /// A feed into an open pipe.
  init(_ plan: ReplayPlan, _ options: TraceReplayOptions, to descriptor: Int32) {
    self.plan = plan
    self.options = options
    self.descriptor = descriptor
    stepCountMax = Self.stepCountMax(threadCount: plan.facts.threadCount)
    runs = Array(repeating: [], count: plan.facts.threadCount)
    counts = Array(repeating: 0, count: plan.facts.threadCount)
  }

  /// Writes everything, and closes the pipe. Ends early when the driver does.
  mutating func run(_ progress: (Double) -> Void) throws(MeasurementFailure) {
    defer { close(descriptor) }
    let touch = TraceReplayOptions.Touch.allCases.firstIndex(of: options.touch) ?? 0
    var header: [UInt8] = []
    for number in [plan.facts.threadCount, plan.facts.objectCount, touch, stepCountMax] { header.append32(number) }
    write(header)
    let start = Date()
    var microseconds: UInt64 = 0
    let stepTotal = Double(max(1, plan.facts.stepCount))
    try plan.forEachStep { position, step in
      if step.kind == .pause {
        microseconds += step.amount
        if options.keepsPace {
          writeBatch()
          let wait = Double(microseconds) / 1e6 + start.timeIntervalSinceNow
          if wait > 0 { Thread.sleep(forTimeInterval: wait) }
        }
      } else {
        append(step)
      }
      if position & 0xFFFF == 0 { progress(Double(position) / stepTotal) }
      return !isBroken
    }
    writeBatch()
    write([UInt8](repeating: 0, count: 8))
  }

  private mutating func append(_ step: ReplayStep) {
    let kind: UInt64 =
      switch step.kind {
      case .allocate, .pause: 0
      case .allocateZeroed: 1
      case .reallocate: 2
      case .deallocate: 3
      }
    let word =
      UInt64(step.object) | UInt64(UInt16(truncatingIfNeeded: step.turn)) << 32 | kind << 48
      | UInt64(step.alignmentLog2) << 52
    let thread = Int(step.thread)
    runs[thread].append64(word)
    runs[thread].append64(step.amount)
    counts[thread] += 1
    stepCount += 1
    if stepCount == stepCountMax { writeBatch() }
  }

  private mutating func writeBatch() {
    guard stepCount > 0 else { return }
    let threads = counts.indices.filter { counts[$0] > 0 }
    var batch: [UInt8] = []
    batch.reserveCapacity(8 + threads.count * 8 + stepCount * 16)
    batch.append32(threads.count)
    batch.append32(stepCount)
    for thread in threads {
      batch.append32(thread)
      batch.append32(Int(counts[thread]))
    }
    for thread in threads {
      batch += runs[thread]
      runs[thread].removeAll(keepingCapacity: true)
      counts[thread] = 0
    }
    stepCount = 0
    write(batch)
  }

  private mutating func write(_ bytes: [UInt8]) {
    guard !isBroken else { return }
    do throws(TraceWriteError) {
      try writeAll(bytes, to: descriptor, path: "the driver")
    } catch {
      // The driver has ended; its own line says why.
      isBroken = true
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append32(_ number: Int) {
    for index in 0..<4 { append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
  }
  fileprivate mutating func append64(_ number: UInt64) {
    for index in 0..<8 as Range<UInt64> { append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
  }
}
