import Addresses
import Machine
import PageTables
import Synchronization

/// Invalidates translations on this processor, and on others that may have cached them.
struct Invalidator: TLBInvalidator {
  /// From how many pages on it is cheaper to invalidate everything.
  static let pageMaximum: UInt64 = 32

  /// A bit for each processor that may have cached translations.
  let processors: UInt

  /// For the tables that every processor uses: the kernel's.
  static var everywhere: Invalidator { Invalidator(processors: .max) }

  func invalidate(_ start: VirtAddr, pageCount: UInt64) {
    if pageCount > Invalidator.pageMaximum { return invalidateAll() }
    if offence == .lostPageInvalidation { return }
    invalidate(TranslationRange(start: UInt64(start.raw), pageCount: pageCount))
  }

  func invalidateAll() {
    if offence == .lostInvalidationOfAll { return }
    invalidate(.everything)
  }

  private func invalidate(_ range: TranslationRange) {
    let this: UInt = 1 << UInt(cpu_number())
    if processors & this != 0 { range.invalidate() }
    if offence == .lostShootdown { return }
    if processors & ~this & onlineProcessors.load(ordering: .acquiring) != 0 { range.invalidateOnOthers() }
  }
}

/// Pages of 4 KiB whose translations are invalidated.
struct TranslationRange {
  let start: UInt64
  let pageCount: UInt64

  static var everything: TranslationRange { TranslationRange(start: 0, pageCount: .max) }

  /// Invalidates them on this processor.
  func invalidate() {
    if pageCount == .max { return cpu_invalidate_all() }
    for page in 0..<pageCount { cpu_invalidate_page(start + page * 4096) }
  }
}
