// Four-level and five-level paging after the manual: Intel SDM volume 3A, chapter 4. A walk reads one entry of each
// table from the root down (4.5.4, figures 4-8 to 4-10). It ends at an entry with P = 0 or a reserved bit set, which is
// a fault, or at an entry that maps a page. Then it combines the rights of all entries on the way (4.6.1). Only an
// allowed access sets accessed and dirty flags (4.8) and touches memory.

/// The judge where no processor is available, and the second opinion where one is.
final class SoftwareJudge: Judge {
  let name = "software walk"
  let reservedRootEntry: Int? = nil

  private let memory: PhysicalMemory
  /// MAXPHYADDR: entries with address bits from here up to bit 51 are malformed.
  private let physicalBitCount: Int

  init(memory: PhysicalMemory, physicalBitCount: Int = 46) {
    self.memory = memory
    self.physicalBitCount = physicalBitCount
  }

  func canJudge(_ probe: Probe, levelCount: Int) -> Bool { true }

  func canLoad(_ root: ProbedRoot) -> Bool { true }

  func judge(_ probes: [Probe], under root: ProbedRoot) -> [Verdict] {
    probes.map { verdict(on: $0, under: root) }
  }

  // Bits of an entry (tables 4-14 to 4-20).
  private enum Bit {
    static let present: UInt64 = 1 << 0
    static let writable: UInt64 = 1 << 1
    static let user: UInt64 = 1 << 2
    static let accessed: UInt64 = 1 << 5
    static let dirty: UInt64 = 1 << 6
    static let pageSize: UInt64 = 1 << 7
    static let executeDisable: UInt64 = 1 << 63
  }

  /// The result of a walk.
  private enum Walk {
    case missing
    case malformed
    /// The physical address; the flags set in every entry and those set in any; the addresses of the entries.
    case page(UInt64, everywhere: UInt64, anywhere: UInt64, entries: [UInt64])
  }

  private func verdict(on probe: Probe, under root: ProbedRoot) -> Verdict {
    // SDM volume 1, 3.3.7.1: the bits above the translated ones must all equal the highest translated one.
    let width = root.levelCount == 5 ? 57 : 48
    let upper = Int64(bitPattern: probe.address) >> (width - 1)
    guard upper == 0 || upper == -1 else { return .generalProtection }

    var code = PageFaultCode(of: probe)
    switch walk(probe.address, under: root) {
    case .missing:
      return .pageFault(code, address: probe.address)
    case .malformed:
      code.formUnion([.protection, .reserved])
      return .pageFault(code, address: probe.address)
    case .page(let physical, let everywhere, let anywhere, let entries):
      guard allows(probe, everywhere: everywhere, anywhere: anywhere, under: root) else {
        code.insert(.protection)
        return .pageFault(code, address: probe.address)
      }
      for entry in entries { memory[entry] |= Bit.accessed }
      switch probe.access {
      case .read:
        return .done(memory[physical])
      case .write:
        if let leaf = entries.last { memory[leaf] |= Bit.dirty }
        memory[physical] = probe.word
        return .done(0)
      case .fetch:
        guard let tag = ProbeWord.tag(of: memory[physical]) else { return .other(vector: 6) }
        return .done(UInt64(tag))
      }
    }
  }

  private func walk(_ address: UInt64, under root: ProbedRoot) -> Walk {
    var table = root.address
    var everywhere = ~UInt64(0)
    var anywhere: UInt64 = 0
    var entries: [UInt64] = []
    // The lowest address bit of the next table's index: 48 (PML5), 39 (PML4), 30, 21, 12.
    for shift in stride(from: root.levelCount == 5 ? 48 : 39, through: 12, by: -9) {
      let location = table + (address >> UInt64(shift) & 0x1FF) * 8
      let entry = memory[location]
      guard entry & Bit.present != 0 else { return .missing }
      let mapsPage = shift == 12 || (shift <= 30 && entry & Bit.pageSize != 0)
      guard !hasReservedBits(entry, shift: shift, mapsPage: mapsPage) else { return .malformed }
      everywhere &= entry
      anywhere |= entry
      entries.append(location)
      let frame = entry & 0x000F_FFFF_FFFF_F000
      if mapsPage {
        let offsetMask = (UInt64(1) << UInt64(shift)) - 1
        let physical = (frame & ~offsetMask) | (address & offsetMask)
        return .page(physical, everywhere: everywhere, anywhere: anywhere, entries: entries)
      }
      table = frame
    }
    fatalError("the loop ends at the table whose entries map 4 KiB pages")
  }

  private func hasReservedBits(_ entry: UInt64, shift: Int, mapsPage: Bool) -> Bool {
    var reserved = ((UInt64(1) << 52) - 1) & ~((UInt64(1) << UInt64(physicalBitCount)) - 1)
    if shift >= 39 { reserved |= Bit.pageSize }
    // A large page's frame starts at a multiple of its size; bit 12 is PAT.
    if mapsPage && shift > 12 { reserved |= ((UInt64(1) << UInt64(shift)) - 1) & ~0x1FFF }
    return entry & reserved != 0
  }

  /// SDM 4.6.1, with CR0.WP = 1, EFER.NXE = 1 and RFLAGS.AC = 0.
  private func allows(_ probe: Probe, everywhere: UInt64, anywhere: UInt64, under root: ProbedRoot) -> Bool {
    let isUserAddress = everywhere & Bit.user != 0
    switch (probe.mode, probe.access) {
    case (.user, _) where !isUserAddress: return false
    case (.kernel, .fetch) where isUserAddress && root.hasSMEP: return false
    case (.kernel, .read) where isUserAddress && root.hasSMAP: return false
    case (.kernel, .write) where isUserAddress && root.hasSMAP: return false
    case (_, .read): return true
    case (_, .write): return everywhere & Bit.writable != 0
    case (_, .fetch): return anywhere & Bit.executeDisable == 0
    }
  }
}
