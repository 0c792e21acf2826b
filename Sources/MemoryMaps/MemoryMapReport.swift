/// What a decoder made of the entries of a table.
///
/// Firmware is written by many hands, and one senseless entry must not cost the memory that all others describe.
@frozen
public struct MemoryMapReport: Equatable, Sendable {
  /// How many entries there were, empty ones and those marked as unused not counted.
  public internal(set) var entryCount = 0

  /// How many of them reach past the last address that the map takes, and were added up to there.
  public internal(set) var clippedCount = 0

  /// How many of them were not added: those wholly above that address, and usable ones whose end wraps. (An end that
  /// wraps is an error of the firmware. What it reserves may be real; what it offers is not believed.)
  public internal(set) var skippedCount = 0

  /// The number of the first entry that was clipped or skipped, counted from 0 in the table; nil when there is none.
  public internal(set) var firstFlawedEntry: Int?

  /// A report on a table without a flaw.
  public init() {}

  /// Whether every entry was added as it stands.
  public var isClean: Bool { firstFlawedEntry == nil }
}
