/// An operation on page tables whose cost is measured in instructions for each page.
public enum PagingOperation: String, CaseIterable, Sendable {
  /// Maps a range with 4 KiB pages.
  case mapRange = "map-range"
  /// Unmaps a range.
  case unmapRange = "unmap-range"
  /// Changes a range's permissions.
  case protectRange = "protect-range"
  /// Translates an address through four levels.
  case translate
  /// Forks an address space copy-on-write.
  case fork

  /// The operation's name in reports.
  public var title: String {
    switch self {
    case .mapRange: "map a range"
    case .unmapRange: "unmap a range"
    case .protectRange: "change a range's permissions"
    case .translate: "translate an address"
    case .fork: "fork copy-on-write"
    }
  }

  /// The most instructions that it may cost for each page or address.
  public var instructionLimit: Int {
    switch self {
    case .mapRange: 15
    case .unmapRange: 20
    case .protectRange: 10
    case .translate: 45
    case .fork: 20
    }
  }

  /// The number of pages or addresses in one run: 64 MiB of 4 KiB pages.
  static let pageCount = 16_384
}
