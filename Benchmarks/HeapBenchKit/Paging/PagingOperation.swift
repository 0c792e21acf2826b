/// An operation on page tables whose cost is counted, in instructions for each page.
public enum PagingOperation: String, CaseIterable, Sendable {
  /// Mapping a range, 4 KiB pages.
  case mapRange = "map-range"
  /// Unmapping it.
  case unmapRange = "unmap-range"
  /// Changing its permissions.
  case protectRange = "protect-range"
  /// Translating an address, four levels.
  case translate
  /// Forking an address space copy-on-write.
  case fork

  /// What it is, for people.
  public var title: String {
    switch self {
    case .mapRange: "map a range"
    case .unmapRange: "unmap a range"
    case .protectRange: "change a range's permissions"
    case .translate: "translate an address"
    case .fork: "fork copy-on-write"
    }
  }

  /// How many instructions it may cost for each page, or each address.
  public var instructionLimit: Int {
    switch self {
    case .mapRange: 15
    case .unmapRange: 20
    case .protectRange: 10
    case .translate: 45
    case .fork: 20
    }
  }

  /// How many pages, or addresses, one run works on: 64 MiB of 4 KiB pages.
  static let pageCount = 16_384
}
