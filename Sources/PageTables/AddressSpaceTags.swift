public import Assertions

// Tags for address spaces. An address space keeps its tag for life, and all processors use the same one: a flush by tag
// then reaches every translation of it. A freed tag is stale, since processors may still hold translations under it.
// Stale tags wait until the clean ones are used up; one flush of everything then makes all of them clean. So freeing
// costs no flush, and of n allocations at most one in n/2 costs one, if half of n tags are in use.
//
//     in use + clean + stale + 1 (number 0) = count

/// An allocator of address-space tags, with room for 64 of them in each of `wordCount` words: 64 words for the PCIDs of
/// x86-64, 4 or 1,024 for the ASIDs of other processors.
///
/// It takes no lock; its owner does. On x86-64 and RISC-V each processor may have its own allocator. AArch64 flushes
/// other processors' translations by tag, and needs a common one.
@frozen
public struct AddressSpaceTags<let wordCount: Int>: ~Copyable {
  /// A bit for each tag that is free and that no processor holds translations of.
  @usableFromInline var clean = InlineArray<wordCount, UInt64>(repeating: 0)
  /// A bit for each tag that is free and that processors may hold translations of.
  @usableFromInline var stale = InlineArray<wordCount, UInt64>(repeating: 0)
  /// No word below this one has a clean tag.
  @usableFromInline var firstWord = 0
  /// How many tags there are, number 0 included.
  public let count: Int

  /// All tags from 1 to `count - 1`, free and clean; traps unless `count` is 1 to 64 times `wordCount`, and at most
  /// 65,536.
  /// - Complexity: O(`wordCount`)
  @inlinable
  public init(count: Int) {
    require(
      count >= 1 && count <= min(wordCount * 64, 65_536),
      "an allocator of tags must have 1 to 64 for each of its words, found", UInt64(truncatingIfNeeded: count))
    self.count = count
    for word in 0..<wordCount {
      let rest = min(max(count - word * 64, 0), 64)
      clean[word] = rest == 64 ? .max : (1 << UInt64(truncatingIfNeeded: rest)) - 1
    }
    clean[0] &= ~1
  }

  /// A tag that no processor holds translations of; nil when all are in use.
  ///
  /// Where only stale tags are left, all processors' translations are flushed first.
  /// - Complexity: O(`wordCount`)
  @inlinable
  public mutating func allocate(_ tlb: inout some TaggedTLB & ~Copyable) -> AddressSpaceTag? {
    if let tag = takeClean() { return tag }
    var foundStale = false
    for word in 0..<wordCount {
      foundStale = foundStale || stale[word] != 0
      clean[word] = stale[word]
      stale[word] = 0
    }
    if !foundStale { return nil }
    firstWord = 0
    tlb.invalidateEverything()
    return takeClean()
  }

  /// Frees the tag of an address space that no processor runs any more; traps unless the tag is in use.
  /// - Complexity: O(1)
  @inlinable
  public mutating func deallocate(_ tag: AddressSpaceTag) {
    let word = Int(tag.number) / 64
    let bit: UInt64 = 1 << UInt64(tag.number % 64)
    require(
      tag.number > 0 && Int(tag.number) < count && (clean[word] | stale[word]) & bit == 0,
      "a freed address-space tag must be in use, found", UInt64(tag.number))
    stale[word] |= bit
  }

  /// How many tags are free.
  /// - Complexity: O(`wordCount`)
  @inlinable
  public var freeCount: Int {
    var count = 0
    for word in 0..<wordCount {
      count += (clean[word] | stale[word]).nonzeroBitCount
    }
    return count
  }

  /// The lowest clean tag, no longer free.
  @inlinable
  mutating func takeClean() -> AddressSpaceTag? {
    while firstWord < wordCount {
      let bits = clean[firstWord]
      if bits != 0 {
        clean[firstWord] = bits & (bits - 1)
        return AddressSpaceTag(UInt16(truncatingIfNeeded: firstWord * 64 + bits.trailingZeroBitCount))
      }
      firstWord += 1
    }
    return nil
  }
}
