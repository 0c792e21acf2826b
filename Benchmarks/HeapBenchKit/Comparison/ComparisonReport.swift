/// The results of a comparison.
public struct ComparisonReport: Codable, Sendable {
  /// The allocators, glibc first.
  public let allocators: [ComparedAllocator]
  /// Lines about what is missing.
  public internal(set) var notes: [String]
  /// The rows of the tables.
  public internal(set) var items: [ComparedItem] = []
  /// The instructions of a 64-byte malloc and free, with the loop around them, by allocator.
  public internal(set) var instructions: [String: Double] = [:]
  /// The time by the number of threads.
  public internal(set) var scaling: [ScalingCurve] = []
  /// Whether all workloads were asked for. A mean over a few of them says nothing about all.
  public let isWhole: Bool
  /// The size of the footprint patterns, in percent of the full one. A smaller pattern meets no bar for the full one, and
  /// misses none.
  public internal(set) var patternPercent = 100
  /// The processor's model and number; nil where nothing was measured.
  public internal(set) var processor: String?
  /// Whether everything that was asked for was measured.
  public internal(set) var isComplete = false

  /// An empty report.
  public init(allocators: [ComparedAllocator], notes: [String] = [], isWhole: Bool = true) {
    self.allocators = allocators
    self.isWhole = isWhole
    self.notes = notes
  }

  /// Whether nothing was measured.
  public var isEmpty: Bool { items.isEmpty && instructions.isEmpty && scaling.isEmpty }

  /// The allocators' names, in the order of the columns.
  var names: [String] { allocators.map(\.name) }

  /// The names of all allocators but libheaplab.
  var peerNames: [String] { names.filter { $0 != ComparedAllocator.heaplabName } }

  /// The rows of a kind.
  func items(_ kind: ComparedItem.Kind) -> [ComparedItem] { items.filter { $0.kind == kind } }

  /// The row of this name.
  func item(_ name: String) -> ComparedItem? { items.first { $0.name == name } }

  /// A line for each measurement that failed.
  public var failures: [String] {
    (items + scaling.flatMap(\.items)).flatMap { item in
      names.compactMap { name in item.runs[name]?.failure.map { "\(item.name) under \(name): \($0)" } }
    }
  }

  /// Adds the curves by number of threads. A missing curve means that the job was interrupted.
  public mutating func add(_ curves: [ScalingCurve]) {
    scaling = curves
    isComplete = isComplete && curves.count == ScalingCurve.workloads.count
  }

  /// Counts instructions under every allocator, and notes where they cannot be counted.
  mutating func count(_ counting: InstructionCount, _ show: (String) -> Void) async {
    for allocator in allocators where !Task.isCancelled {
      show("instructions: \(allocator.name)")
      do {
        instructions[allocator.name] = try await counting.count(under: allocator)
      } catch {
        guard !Task.isCancelled else { return }
        notes.append("no count of instructions for \(allocator.name): \(error)")
      }
    }
  }

  /// The geometric mean over the rows of one allocator's time over the reference; nil unless every row has both.
  func meanTimeRatio(of name: String, _ kind: ComparedItem.Kind, over reference: (ComparedItem) -> Double?) -> Double? {
    let rows = items(kind)
    let ratios = rows.compactMap { item -> Double? in
      guard let own = item.median(of: name, \.nanosecondsPerOperation), let other = reference(item) else { return nil }
      return own / other
    }
    return ratios.count == rows.count ? ratios.geometricMean : nil
  }

  /// The time of the fastest peer in a row.
  func fastestPeerTime(_ item: ComparedItem) -> Double? {
    item.best(among: peerNames, \.nanosecondsPerOperation)?.value
  }

  /// A figure's geometric mean over the rows; nil unless every row has it.
  func mean(of name: String, _ kind: ComparedItem.Kind, _ figure: (DriverFigures) -> Double?) -> Double? {
    let rows = items(kind)
    let values = rows.compactMap { $0.median(of: name, figure) }
    return values.count == rows.count ? values.geometricMean : nil
  }
}
