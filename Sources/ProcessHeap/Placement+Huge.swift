internal import Addresses
internal import Assertions
internal import HeapSpaces
internal import MemoryRegions
internal import Synchronization

// The pages behind the heap.
//
// `none` and `thp` are advice for everything that the heap maps. `2M` and `1G` are explicit huge pages for the granules:
// the space is committed in multiples of them, and their memory is put behind them at once. A page of the pool that
// cannot be had when it is touched ends a program by SIGBUS; here nobody ever touches one that was not had. Such granules
// are fixed: the memory of a page that went back to the pool might not come again.
//
// When the pool has too few pages, one line says so, and the rest of the heap is transparent.

extension Placement {
  /// The explicit pages asked for; nil for none.
  private static var pageSize: PageSize? {
    switch state.fields.settings.huge {
    case .explicit2MiB: .size2MiB
    case .explicit1GiB: .size1GiB
    case .unset, .none, .transparent: nil
    }
  }

  /// What the space is to start at a multiple of.
  static var alignment: UInt { max(UInt(pageSize?.byteCount ?? 0), HeapReservation.leastAlignment) }

  /// How many granules a committed part is to have a multiple of.
  static var commitUnit: UInt { max(1, UInt(pageSize?.byteCount ?? 0) / Granule.byteCount) }

  /// The bytes of the explicit pages that are free. They are not part of the memory that the system has available.
  static var poolByteCount: UInt {
    guard let pageSize, let pool = SystemMemory.hugePagePool(pageSize) else { return 0 }
    return UInt(clamping: pool.freeCount).multipliedReportingOverflow(by: UInt(pageSize.byteCount)).partialValue
  }

  /// Gives pages their kind. Returns whether any are explicit huge ones.
  static func chooseHuge(_ address: UInt, byteCount: UInt, node: UInt) -> Bool {
    adviseHuge(address, byteCount: byteCount)
    guard let pageSize, !state.fields.placement.hasNoHugePages else { return false }
    let page = UInt(pageSize.byteCount)
    let first = (address + page - 1) & ~(page - 1)
    let end = (address + byteCount) & ~(page - 1)
    guard first < end else { return false }
    let wanted = end - first
    let had = swapHuge(first, byteCount: min(wanted, poolByteCount), pageSize, node)
    if had < wanted { warnOfPool(wantedCount: wanted / page, hadCount: had / page) }
    state.fields.placement.hugeByteCount.wrappingAdd(had, ordering: .relaxed)
    return had != 0
  }

  /// Puts explicit huge pages with memory in place of pages. Returns how many bytes of them.
  private static func swapHuge(_ address: UInt, byteCount: UInt, _ pageSize: PageSize, _ node: UInt) -> UInt {
    guard byteCount != 0 else { return 0 }
    do throws(SystemError) {
      try SystemPages.swapHuge(address, byteCount: byteCount, pageSize: pageSize)
    } catch {
      adviseHuge(address, byteCount: byteCount)
      return 0
    }
    bind(address, byteCount: byteCount, node: node)
    do throws(SystemError) {
      try SystemPages.prefault(address, byteCount: byteCount)
      return byteCount
    } catch {
      // A control group or the pages of the allowed nodes are used up.
      try? SystemPages.swapBack(address, byteCount: byteCount)
      bind(address, byteCount: byteCount, node: node)
      adviseHuge(address, byteCount: byteCount)
      return 0
    }
  }

  /// Advises the system about the pages of a mapping. A system without transparent huge pages refuses, and has none.
  static func adviseHuge(_ address: UInt, byteCount: UInt) {
    let advice: SystemPages.Advice = state.fields.settings.huge == .none ? .avoidHugePages : .useHugePages
    try? SystemPages.advise(address, byteCount: byteCount, advice)
  }

  /// The pool has too few pages. From now on nobody asks it again.
  private static func warnOfPool(wantedCount: UInt, hadCount: UInt) {
    state.fields.placement.hasNoHugePages = true
    guard let text = SettingText("HEAPLAB_HUGE"), let pageSize else { return }
    var line = text.line()
    line.append(": of ")
    line.append(Int(wantedCount))
    line.append(" pages more the system has ")
    line.append(Int(hadCount))
    line.append("; provide more by 'sysctl vm.nr_hugepages' or in /sys/kernel/mm/hugepages/hugepages-")
    line.append(Int(pageSize.byteCount / 1024))
    line.append("kB/nr_hugepages; the rest is transparent")
    SettingText.write(line)
  }

  /// The bytes on explicit huge pages. Another thread may be changing the figure.
  static var hugeByteCount: UInt { state.fields.placement.hugeByteCount.load(ordering: .relaxed) }

  /// The bytes of the space that are on transparent huge pages now; 0 when the system does not say.
  static func transparentByteCount(of space: HeapSpace) -> UInt {
    let base = space.fields.base
    return (try? SystemPages.transparentByteCount(base, byteCount: space.committedEnd * Granule.byteCount)) ?? 0
  }
}
