/// Times every malloc and free of a pattern under several allocators, which take turns.
public struct LatencyJob: Sendable {
  /// The replacements of a run whose system calls are counted; twice as many follow, and the difference counts.
  private static let countedOperationCount = 20_000

  private let allocators: [ComparedAllocator]
  private let rows: [LatencyRow]
  private let driver: DriverProcess
  private let roundCount: Int
  private let operationCount: Int
  private let neighbourByteCount: Int?

  /// A job of these rows.
  ///
  /// - Parameters:
  ///   - operationCount: The replacements in a run; of large blocks an eighth as many.
  ///   - neighbourByteCount: How much memory a neighbour maps, writes and gives back all the time; nil for none.
  public init(
    allocators: [ComparedAllocator], rows: [LatencyRow], driver: DriverProcess, roundCount: Int, operationCount: Int,
    neighbourByteCount: Int?
  ) {
    self.allocators = allocators
    self.rows = rows
    self.driver = driver
    self.roundCount = roundCount
    self.operationCount = operationCount
    self.neighbourByteCount = neighbourByteCount
  }

  /// Runs the job; the report is partial when the task was cancelled.
  public func run(progress: any ProgressMeter) async -> LatencyReport {
    guard let neighbourByteCount else { return await measure(progress) }
    let driver = driver
    return await withTaskGroup(of: LatencyReport?.self) { group in
      group.addTask {
        await driver.press(byteCount: neighbourByteCount)
        return nil
      }
      group.addTask { await measure(progress) }
      while let ended = await group.next() {
        guard let report = ended else { continue }
        group.cancelAll()
        return report
      }
      return await measure(progress)
    }
  }

  private func measure(_ progress: any ProgressMeter) async -> LatencyReport {
    progress.begin(weights: rows.map { _ in 1 })
    defer { progress.end() }
    var report = LatencyReport(
      allocators: allocators.map(\.name), roundCount: roundCount, neighbourByteCount: neighbourByteCount)
    let counter = try? SystemCallCounter(workbench: GateWorkbench())
    if counter == nil { report.notes.append("System calls are not counted: no temporary folder can be made.") }
    for row in rows where !Task.isCancelled {
      var item = LatencyReport.Item(row: row)
      for round in 0..<roundCount {
        for (index, allocator) in allocators.enumerated() where item.failures[allocator.name] == nil {
          guard !Task.isCancelled else { break }
          let done = Double(round * allocators.count + index) / Double(roundCount * allocators.count)
          progress.show("\(row.title): \(allocator.name)", share: done)
          do {
            let run = try await driver.tail(row, operationCount: operationCount(of: row), under: allocator)
            item.runs[allocator.name, default: []].append(run)
          } catch is CancellationError {
            break
          } catch {
            item.failures[allocator.name] = "\(error)"
          }
        }
      }
      if let counter, row.threadCount == 1 { await count(&item, counter, &report) }
      report.items.append(item)
      progress.completeWorkload()
    }
    report.isComplete = !Task.isCancelled
    return report
  }

  private func operationCount(of row: LatencyRow) -> Int {
    row.most > 256 << 10 ? max(1000, operationCount / 8) : operationCount
  }

  /// Counts system calls on one thread: threads of the driver that wait for each other would count, too.
  private func count(
    _ item: inout LatencyReport.Item, _ counter: SystemCallCounter, _ report: inout LatencyReport
  ) async {
    for allocator in allocators where item.failures[allocator.name] == nil && !Task.isCancelled {
      do {
        let count = Self.countedOperationCount
        let once = try await counter.count(
          driver.path, item.row.driverArguments(operationCount: count), library: allocator.library)
        let twice = try await counter.count(
          driver.path, item.row.driverArguments(operationCount: 2 * count), library: allocator.library)
        // The warm-up grows with the replacements, by a quarter.
        item.systemCallsPerMillion[allocator.name] = max(0, twice - once) / (1.25 * Double(count)) * 1_000_000
      } catch is CancellationError {
        return
      } catch {
        let note = "System calls are not counted: \(error)"
        if !report.notes.contains(note) { report.notes.append(note) }
        return
      }
    }
  }
}
