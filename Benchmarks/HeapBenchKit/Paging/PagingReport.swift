import PageTables

/// What page tables cost, as two tables.
public struct PagingReport: Sendable {
  let instructions: [PagingOperation: Double]
  /// Why there are no instructions; nil when there are.
  let missing: String?
  let timings: [PagingTiming]
  let outcomes: [PagingOutcome]

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
    try Task.checkCancellation()
    timings = try PagingTiming.all()
    try Task.checkCancellation()
    outcomes = try PagingOutcome.all { show($0, 0.5 + $1 / 2) }
    self.instructions = instructions
    self.missing = missing
  }

  /// Both tables. Each line ends with a newline.
  public func text(style: TerminalStyle) -> String {
    (costLines(style) + [""] + outcomeLines(style)).joined(separator: "\n") + "\n"
  }

  private func costLines(_ style: TerminalStyle) -> [String] {
    let widths = [30, 13, 9, 9, 9, 13]
    let headings = ["instructions", "at most", "time", "memset", "time÷memset"]
    func row(_ name: String, _ cells: [String]) -> [String] {
      [name.rightPadded(to: widths[0])] + zip(cells, widths.dropFirst()).map { $0.leftPadded(to: $1) }
    }
    var rows = [row("operation", headings).map { style.text($0, .strong) }]
    for timing in timings {
      let operation = timing.operation
      let isOver = instructions[operation].map { $0 > Double(operation.instructionLimit) } ?? false
      var cells = row(
        operation.title,
        [
          instructions[operation].map { Figure.fixed($0, decimals: 1) } ?? "–", "\(operation.instructionLimit)",
          Figure.fixed(timing.nanoseconds, decimals: 2) + "ns",
          Figure.fixed(timing.memsetNanoseconds, decimals: 2) + "ns",
          Figure.ratio(timing.nanoseconds / max(timing.memsetNanoseconds, 0.001)),
        ])
      cells[1] = style.text(cells[1], isOver ? .bad : .good)
      rows.append(cells)
    }
    let title =
      "The cost of an operation for each 4 KiB page (translate: for each address, with the loop around it); x86-64, "
      + "four levels, \(Figure.count(PagingOperation.pageCount)) pages."
    let notes = [
      missing.map { "instructions: \($0)" }
        ?? "instructions: counted by callgrind, which counts a repeated store once for each repetition",
      "memset: the fastest round of setting the bytes of the pages' entries, 8 for each page",
    ]
    return [style.paragraph(title), ""] + style.folded(rows, widths: widths) + [""] + notes.map(style.paragraph)
  }

  private func outcomeLines(_ style: TerminalStyle) -> [String] {
    let columns = [
      ("faults", 9), ("4 KiB", 9), ("2 MiB", 8), ("resident", 11), ("tables", 10), ("TLB reach", 11), ("promoted", 10),
      ("demoted", 9),
    ]
    let widths = [20] + columns.map(\.1)
    let heading = ["pattern and policy".rightPadded(to: 20)] + columns.map { $0.0.leftPadded(to: $0.1) }
    var rows = [heading.map { style.text($0, .strong) }]
    for outcome in outcomes {
      if outcome.policy == .never {
        let text = style.paragraph("\(outcome.pattern.rawValue): \(outcome.pattern.explanation)")
        rows.append([style.text(text, .faint)])
      }
      let cells = [
        Figure.count(outcome.faultCount), Figure.count(outcome.smallPageCount), Figure.count(outcome.largePageCount),
        bytes(outcome.residentByteCount), bytes(outcome.tableByteCount), bytes(outcome.tlbReachByteCount),
        Figure.count(outcome.promotionCount), Figure.count(outcome.demotionCount),
      ]
      rows.append(
        ["  " + Self.name(of: outcome.policy).rightPadded(to: 18)]
          + zip(cells, columns).map { $0.leftPadded(to: $1.1) })
    }
    let note = "TLB reach: the mapped bytes that \(PagingOutcome.tlbEntryCount) entries cover, the largest pages first"
    let title = "Large pages never, always, and by touch density, in 256 MiB of memory."
    return [style.paragraph(title), ""] + style.folded(rows, widths: widths) + ["", style.paragraph(note)]
  }

  static func name(of policy: LargePagePolicy.Mode) -> String {
    switch policy {
    case .never: "always 4 KiB"
    case .always: "always 2 MiB"
    case .dynamic: "dynamic"
    }
  }

  private func bytes(_ count: Int) -> String { ByteCount(UInt64(count)).description }
}
