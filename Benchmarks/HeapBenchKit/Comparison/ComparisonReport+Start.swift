// What every process pays that loads an allocator, however little it allocates.

extension ComparisonReport {
  /// The start and end of a program that does nothing, and the memory of a process that hardly allocates.
  var startTable: ComparisonTable? {
    let faults: (DriverFigures) -> Double? = { Double($0.minorFaultCount) / Double($0.operations) }
    let starts = items(.start).flatMap { item in
      [
        ratioRow(item, "time", first: { Figure.preciseDuration(nanoseconds: $0) }, \.nanosecondsPerOperation),
        ComparisonTable.Row(
          name: "page faults", cells: names.map { cell(item, $0, faults) { Figure.fixed($0, decimals: 0) } }
        ).markingBest(names.map { item.median(of: $0, faults) }),
      ]
    }
    let processes = items(.process).map { figureRow($0, "resident KiB", \.peakResidentKiB) }
    guard !(starts + processes).isEmpty else { return nil }
    return ComparisonTable(
      title: """
        Start and end of /bin/true: processor time, glibc's and the others' over it, and page faults; resident KiB of a \
        process that allocates a hundred blocks. * least.
        """, columns: names, tailHeading: starts.isEmpty ? "" : "spread", rows: starts + processes)
  }
}
