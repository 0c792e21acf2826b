import Foundation

/// Everything that a comparison measured.
public struct ComparisonReport: Codable, Sendable {
  /// The allocators, glibc first.
  public let allocators: [ComparedAllocator]
  /// Lines about what is missing.
  public internal(set) var notes: [String]
  /// The rows of the tables.
  public internal(set) var items: [ComparedItem] = []
  /// Instructions of a 64-byte malloc and free with the loop around them, by allocator.
  public internal(set) var instructions: [String: Double] = [:]
  /// Time by the number of threads.
  public internal(set) var scaling: [ScalingCurve] = []
  /// Whether all workloads were asked for: sums over a few of them say nothing of all.
  public let isWhole: Bool
  /// Whether nothing was left out for want of time.
  public internal(set) var isComplete = false

  /// A report on which nothing stands yet.
  public init(allocators: [ComparedAllocator], notes: [String] = [], isWhole: Bool = true) {
    self.allocators = allocators
    self.isWhole = isWhole
    self.notes = notes
  }

  /// The allocators' names, in the order of the columns.
  var names: [String] { allocators.map(\.name) }

  /// The names of those that libheaplab is held against: all others.
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

  /// Adds what was measured on several numbers of threads; fewer workloads than there are were interrupted.
  public mutating func add(_ curves: [ScalingCurve]) {
    scaling = curves
    isComplete = isComplete && curves.count == ScalingCurve.workloads.count
  }

  /// Counts instructions under every allocator; what cannot be counted leaves a note.
  mutating func count(_ counting: InstructionCount, _ show: (String) -> Void) async {
    for allocator in allocators where !Task.isCancelled {
      show("instructions: \(allocator.name)")
      do {
        instructions[allocator.name] = try await counting.count(under: allocator)
      } catch  where Task.isCancelled {
        return
      } catch {
        notes.append("no count of instructions for \(allocator.name): \(error)")
      }
    }
  }

  /// The geometric mean over rows of one allocator's time over the reference's; nil unless every row has both.
  func meanTimeRatio(of name: String, _ kind: ComparedItem.Kind, over reference: (ComparedItem) -> Double?) -> Double? {
    let rows = items(kind)
    let ratios = rows.compactMap { item -> Double? in
      guard let own = item.median(of: name, \.nanosecondsPerOperation), let other = reference(item) else { return nil }
      return own / other
    }
    return ratios.count == rows.count ? ratios.geometricMean : nil
  }

  /// The time of the peer that is fastest in a row.
  func fastestPeerTime(_ item: ComparedItem) -> Double? {
    item.best(among: peerNames, \.nanosecondsPerOperation)?.value
  }

  /// The geometric mean over rows of a figure; nil unless every row has it.
  func mean(of name: String, _ kind: ComparedItem.Kind, _ figure: (DriverFigures) -> Double?) -> Double? {
    let rows = items(kind)
    let values = rows.compactMap { $0.median(of: name, figure) }
    return values.count == rows.count ? values.geometricMean : nil
  }
}
