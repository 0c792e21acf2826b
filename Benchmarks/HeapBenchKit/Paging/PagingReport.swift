import PageTables

/// What page tables cost, as two tables.
public struct PagingReport: Sendable {
  private let instructions: [PagingOperation: Double]
  private let missing: String?
  private let timings: [PagingTiming]
  private let outcomes: [PagingOutcome]

  /// Measures everything. `show` gets what runs now and the share that is done.
  public init(_ show: @Sendable (String, Double) -> Void = { _, _ in }) async throws {
    var instructions: [PagingOperation: Double] = [:]
    var missing: String?
    let workbench = try GateWorkbench()
    for (index, operation) in PagingOperation.allCases.enumerated() where missing == nil {
      show("instructions: \(operation.title)", Double(index) / 20)
      do {
        instructions[operation] = try await PagingInstructionCount.count(operation, on: workbench)
      } catch let error as GateObstacle {
        missing = error.description
      }
    }
    show("times", 0.4)
    timings = try PagingTiming.all()
    outcomes = try PagingOutcome.all { show($0, 0.5 + $1 / 2) }
    self.instructions = instructions
    self.missing = missing
  }

  /// Both tables. Each line ends with a newline.
  public func text(style: TerminalStyle) -> String {
    (costLines(style) + [""] + outcomeLines(style)).joined(separator: "\n") + "\n"
  }

  private func costLines(_ style: TerminalStyle) -> [String] {
    var lines = [
      "The cost of an operation for each 4 KiB page (translate: for each address, with the loop around it);",
      "x86-64, four levels, \(Figure.count(PagingOperation.pageCount)) pages.", "",
      style.text(
        "operation".rightPadded(to: 30) + "instructions".leftPadded(to: 13) + "at most".leftPadded(to: 9)
          + "time".leftPadded(to: 9) + "memset".leftPadded(to: 9) + "time÷memset".leftPadded(to: 13), .strong),
    ]
    for timing in timings {
      let operation = timing.operation
      let count = instructions[operation].map { Figure.fixed($0, decimals: 1) } ?? "–"
      let isOver = instructions[operation].map { $0 > Double(operation.instructionLimit) } ?? false
      var line = operation.title.rightPadded(to: 30)
      line += style.text(count.leftPadded(to: 13), isOver ? .bad : .good)
      line += "\(operation.instructionLimit)".leftPadded(to: 9)
      line += (Figure.fixed(timing.nanoseconds, decimals: 2) + "ns").leftPadded(to: 9)
      line += (Figure.fixed(timing.memsetNanoseconds, decimals: 2) + "ns").leftPadded(to: 9)
      line += Figure.ratio(timing.nanoseconds / max(timing.memsetNanoseconds, 0.001)).leftPadded(to: 13)
      lines.append(line)
    }
    lines.append("")
    lines.append(
      missing.map { "instructions: \($0)" }
        ?? "instructions: counted by callgrind, which counts a repeated store once for each repetition")
    lines.append("memset: the fastest round of setting the bytes of the pages' entries, 8 for each page")
    return lines
  }

  private func outcomeLines(_ style: TerminalStyle) -> [String] {
    let columns = [
      ("faults", 9), ("4 KiB", 9), ("2 MiB", 8), ("resident", 11), ("tables", 10), ("TLB reach", 11), ("promoted", 10),
      ("demoted", 9),
    ]
    var lines = [
      "Large pages never, always, and by touch density, in 256 MiB of memory.", "",
      style.text(
        "pattern and policy".rightPadded(to: 20) + columns.map { $0.0.leftPadded(to: $0.1) }.joined(), .strong),
    ]
    for outcome in outcomes {
      if outcome.policy == .never {
        lines.append(style.text("\(outcome.pattern.rawValue): \(outcome.pattern.explanation)", .faint))
      }
      let name =
        switch outcome.policy {
        case .never: "always 4 KiB"
        case .always: "always 2 MiB"
        case .dynamic: "dynamic"
        }
      let cells = [
        Figure.count(outcome.faultCount), Figure.count(outcome.smallPageCount), Figure.count(outcome.largePageCount),
        bytes(outcome.residentByteCount), bytes(outcome.tableByteCount), bytes(outcome.tlbReachByteCount),
        Figure.count(outcome.promotionCount), Figure.count(outcome.demotionCount),
      ]
      lines.append(
        "  " + name.rightPadded(to: 18) + zip(cells, columns).map { $0.leftPadded(to: $1.1) }.joined())
    }
    lines.append("")
    lines.append(
      "TLB reach: the mapped bytes that \(PagingOutcome.tlbEntryCount) entries cover, the largest pages first")
    return lines
  }

  private func bytes(_ count: Int) -> String { ByteCount(UInt64(count)).description }
}
