/// A machine that interprets page tables: it makes accesses under them and reports the outcome of each.
///
/// There are two: ``HardwareJudge`` is a processor, ``SoftwareJudge`` is the manual in Swift. Neither shares a line of
/// code with the tables it judges. Both set accessed and dirty bits in the tables.
protocol Judge: AnyObject {
  /// The judge's name in messages.
  var name: String { get }

  /// The entry of every root table that the judge needs for itself, which must be empty; nil for none.
  var reservedRootEntry: Int? { get }

  /// Whether the judge can decide about this access under tables with this many levels.
  func canJudge(_ probe: Probe, levelCount: Int) -> Bool

  /// Whether the judge has the five levels, SMEP and SMAP that the root requires.
  func canLoad(_ root: ProbedRoot) -> Bool

  /// Makes the accesses in order under the current tables at `root`. Leaves no trace in the tables except accessed and
  /// dirty bits.
  func judge(_ probes: [Probe], under root: ProbedRoot) throws -> [Verdict]
}
