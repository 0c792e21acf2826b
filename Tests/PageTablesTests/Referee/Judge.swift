/// A machine that knows what page tables mean: it makes accesses under them and says how each ended.
///
/// There are two: ``HardwareJudge`` is a processor, ``SoftwareJudge`` is the manual in Swift. Neither shares a line
/// with the tables it judges. Both set accessed and dirty bits in the tables.
protocol Judge: AnyObject {
  /// How the judge is called in messages.
  var name: String { get }

  /// The entry of every root table that the judge needs for itself and that must be empty; nil for none.
  var reservedRootEntry: Int? { get }

  /// Whether the judge can decide about this access, under tables with so many levels.
  func canJudge(_ probe: Probe, levelCount: Int) -> Bool

  /// Whether the judge has five levels, SMEP and SMAP as the root asks.
  func canLoad(_ root: ProbedRoot) -> Bool

  /// Makes the accesses in order under the tables at `root`, as they are now, and leaves the tables without any
  /// trace but accessed and dirty bits.
  func judge(_ probes: [Probe], under root: ProbedRoot) throws -> [Verdict]
}
