import Addresses
import PageTables
import Testing

// Accessed and dirty bits (Intel SDM volume 3A, 4.8). An accessed page has its accessed bit, a written page its dirty
// bit, and no page has a dirty bit unless it was written. The processor decides whether a walk that ends in a fault
// sets accessed bits in the entries it met. Entries on no probe's walk stay untouched.

extension RandomTablesTrial {
  private var marks: UInt64 { 1 << 5 | 1 << 6 }

  /// Every nonzero word of every table, with its physical address.
  func tableWords() -> [(UInt64, UInt64)] {
    var words: [(UInt64, UInt64)] = []
    for frame in tables.frames.used {
      let entries = memory.pointer(to: frame.start.raw).assumingMemoryBound(to: UInt64.self)
      var index = 0
      while index < 512 {
        if entries[index] != 0 { words.append((frame.start.raw + UInt64(index) * 8, entries[index])) }
        index += 1
      }
    }
    return words
  }

  /// Clears accessed and dirty bits in all tables.
  func clearMarks() {
    for (location, word) in tableWords() where word & 1 != 0 { memory[location] = word & ~marks }
  }

  func checkMarks(
    _ probes: [Probe], _ verdicts: [Verdict], judge: any Judge, _ entries: [(UInt64, UInt64)], _ context: String
  ) {
    var mustBeAccessed: Set<UInt64> = []
    var mustBeDirty: Set<UInt64> = []
    var mayBeAccessed: Set<UInt64> = []
    for (probe, verdict) in zip(probes, verdicts) where Format.covers(VirtAddr(UInt(probe.address))) {
      let path = path(to: probe.address)
      mayBeAccessed.formUnion(path)
      guard case .done = verdict, let leaf = path.last else { continue }
      mustBeAccessed.formUnion(path)
      if probe.access == .write { mustBeDirty.insert(leaf) }
    }
    for probe in probes {
      guard let leaf = path(to: probe.address).last,
        let translation = try? tables.table.translate(VirtAddr(UInt(probe.address)))
      else { continue }
      let isWritten = mustBeDirty.contains(leaf)
      let isUsed = mustBeAccessed.contains(leaf)
      #expect(translation.isDirty == isWritten, "\(context), \(judge.name): \(probe) in translate's eyes")
      #expect(translation.isAccessed || !isUsed, "\(context), \(judge.name): \(probe) in translate's eyes")
    }
    for (location, before) in entries {
      let after = memory[location]
      let isAccessed = after & 1 << 5 != 0
      let isDirty = after & 1 << 6 != 0
      let isRight =
        after & ~marks == before && isDirty == mustBeDirty.contains(location)
        && (isAccessed ? mayBeAccessed.contains(location) : !mustBeAccessed.contains(location))
      if !isRight {
        Issue.record(
          "\(context): the \(judge.name) left 0x\(String(after, radix: 16)) in an entry of 0x\(String(before, radix: 16))"
        )
      }
    }
  }

  /// The present entries on the path to an address, read without the walker under test.
  private func path(to address: UInt64) -> [UInt64] {
    var table = root.address
    var path: [UInt64] = []
    for shift in stride(from: Format.levelCount == 5 ? 48 : 39, through: 12, by: -9) {
      let location = table + (address >> UInt64(shift) & 0x1FF) * 8
      let entry = memory[location]
      guard entry & 1 != 0 else { break }
      path.append(location)
      if shift <= 30 && entry & 1 << 7 != 0 { break }
      table = entry & 0x000F_FFFF_FFFF_F000
    }
    return path
  }
}
