import Addresses
import Assertions

// The banks of a sparse allocator, in memory that the caller gave:
//
//   barren sets: for each order 1 … 18, a bit for each bank | sections: 8 bytes for each GiB | banks
//
// Behind the last bank is an empty one, the *end*, which saves tests for the last.
//
// Bit b of set k is set when bank b is known to have no free block of order k. Bits of banks that do not exist are set.
// So the lowest bank that may have a block of an order is one count of trailing zeros away (per 64 banks).
//
// Section s holds the address of the lowest bank that reaches above the start of the s-th GiB of the span. The bank of
// an address is that one or one behind it, as many as there are banks in this GiB.

/// Banks in address order.
///
/// A handle: copies share the banks.
struct FrameBankList {
  /// The multiple of 1 GiB at which the span starts.
  let origin: PhysAddr
  /// How many GiB the span has.
  let sectionCount: UInt64
  /// How many banks there can be.
  let capacity: Int
  /// How many words a barren set has.
  let setWordCount: Int
  private let sets: UInt
  private let sections: UInt
  private let banks: UInt

  init(spanning span: AddrRange<PhysAddr>, capacity: Int, at memory: VirtAddr) {
    let layout = FrameBankListLayout(spanning: span, capacity: capacity)
    origin = layout.origin
    sectionCount = layout.sectionCount
    self.capacity = capacity
    setWordCount = layout.setWordCount
    sets = memory.raw
    sections = memory.raw + layout.sections
    banks = memory.raw + layout.banks
  }

  // MARK: Banks

  /// The bank at an index up to the count, at which the end is.
  @inline(__always)
  func bank(_ index: Int) -> UnsafeMutablePointer<FrameBank> {
    // SAFETY: the list's memory has room for `capacity` banks and the end, and is not at address 0.
    unsafe UnsafeMutablePointer(
      bitPattern: banks &+ UInt(bitPattern: index) &* UInt(bitPattern: MemoryLayout<FrameBank>.stride)
    ).unsafelyUnwrapped
  }

  /// The bank at an address that came from here.
  @inline(__always)
  func bank(at address: UInt) -> UnsafeMutablePointer<FrameBank> {
    // SAFETY: the address of a bank, or of the end.
    unsafe UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped
  }

  /// The address of the bank at an index, or of the end.
  @inline(__always)
  func address(ofBank index: Int) -> UInt {
    // SAFETY: the pointer becomes a number and is not followed.
    UInt(bitPattern: unsafe bank(index))
  }

  /// The index of the bank at an address that came from here.
  func index(ofBank address: UInt) -> Int { Int(bitPattern: address &- banks) / MemoryLayout<FrameBank>.stride }

  /// The bank of the frame at `address`, and the index of the frame there, if the bank is the lowest in its GiB, as most
  /// are; nil when it is not, or when there is none.
  ///
  /// An address inside a frame has no such bank either.
  @inline(__always)
  func lowestBank(ofFrame address: PhysAddr) -> (bank: UInt, position: UInt64)? {
    // Below the span the difference wraps around and is no section either.
    let section = (address.raw &- origin.raw) &>> 30
    guard section < sectionCount else { return nil }
    // SAFETY: the section is below the count; it holds the address of a bank or of the end, which has no frames.
    let bank = unsafe self.section(UInt(truncatingIfNeeded: section)).pointee
    let position = unsafe self.bank(at: bank).pointee.frames.position(of: address)
    return unsafe position < self.bank(at: bank).pointee.frames.frameCount ? (bank, position) : nil
  }

  /// The index of the bank that contains `address`, or of the lowest one above it; `count` when there is none.
  func index(reaching address: PhysAddr, of count: Int) -> Int {
    if address < origin { return 0 }
    let section = address.byteCount(from: origin) >> 30
    if section >= sectionCount { return count }
    // SAFETY: the section is below the count.
    var index = unsafe index(ofBank: self.section(UInt(section)).pointee)
    // SAFETY: the index is below the count.
    while unsafe index < count && bank(index).pointee.frames.range.end <= address { index += 1 }
    return index
  }

  /// Writes the sections for `count` banks.
  func indexSections(of count: Int) {
    var index = 0
    for section in 0..<sectionCount {
      let start = PhysAddr(origin.raw + section << 30)
      // SAFETY: the index is below the count.
      while unsafe index < count && bank(index).pointee.frames.range.end <= start { index += 1 }
      // SAFETY: the section is below the count.
      unsafe self.section(UInt(section)).pointee = address(ofBank: index)
    }
  }

  @inline(__always)
  private func section(_ index: UInt) -> UnsafeMutablePointer<UInt> {
    // SAFETY: the caller has checked the index; the sections are not at address 0.
    unsafe UnsafeMutablePointer(
      bitPattern: sections &+ index &* UInt(bitPattern: MemoryLayout<UInt>.stride)
    ).unsafelyUnwrapped
  }

  // MARK: Barren sets

  /// The lowest bank at or above `index` that may have a free block of `order`, 1 or more; the capacity when there is
  /// none.
  @inline(__always)
  func lowestBank(from index: Int, order: UInt8) -> Int {
    var word = index &>> 6
    var candidates = ~0 &<< UInt64(truncatingIfNeeded: index & 63)
    while word < setWordCount {
      // SAFETY: the word is below the count, and a set for each order is in the list's memory.
      candidates &= unsafe ~setWord(word, order).pointee
      if candidates != 0 { return word &<< 6 | candidates.trailingZeroBitCount }
      candidates = ~0
      word &+= 1
    }
    return capacity
  }

  /// Records that the bank has no free block of `order`, 1 or more, nor of any above.
  func exclude(_ index: Int, from order: UInt8) {
    // SAFETY: the index is below the count.
    let old = unsafe bank(index).pointee.barrenOrder
    if order >= old { return }
    unsafe bank(index).pointee.setBarren(from: order)
    for order in order..<old {
      // SAFETY: as in `lowestBank(from:order:)`.
      unsafe setWord(index >> 6, order).pointee |= 1 << UInt64(index & 63)
    }
  }

  /// Records that the bank may have free blocks of all orders.
  func include(_ index: Int) {
    // SAFETY: the index is below the count.
    let old = unsafe bank(index).pointee.barrenOrder
    unsafe bank(index).pointee.setBarren(from: FrameBank.notBarren)
    for order in old..<FrameBank.notBarren {
      // SAFETY: as in `lowestBank(from:order:)`.
      unsafe setWord(index >> 6, order).pointee &= ~(1 << UInt64(index & 63))
    }
  }

  /// Records that all of `count` banks may have free blocks of all orders, and that there are no other banks.
  func resetSets(of count: Int) {
    for word in 0..<setWordCount {
      let here = min(max(count - word << 6, 0), 64)
      for order in 1..<FrameBank.notBarren {
        // SAFETY: as in `lowestBank(from:order:)`.
        unsafe setWord(word, order).pointee = here == 64 ? 0 : ~0 << UInt64(here)
      }
    }
    // SAFETY: the index is below the count.
    for index in 0..<count {
      unsafe bank(index).pointee.setBarren(from: FrameBank.notBarren)
      unsafe bank(index).pointee.wake()
    }
  }

  @inline(__always)
  private func setWord(_ word: Int, _ order: UInt8) -> UnsafeMutablePointer<UInt64> {
    // SAFETY: the caller has checked word and order; the sets are not at address 0.
    unsafe UnsafeMutablePointer(
      bitPattern: sets &+ UInt(bitPattern: (Int(order) &- 1) &* setWordCount &+ word) &<< 3
    ).unsafelyUnwrapped
  }
}

/// The offsets of the parts of a ``FrameBankList``, in bytes.
struct FrameBankListLayout {
  let origin: PhysAddr
  let sectionCount: UInt64
  let setWordCount: Int
  let sections: UInt
  let banks: UInt
  let byteCount: UInt

  init(spanning span: AddrRange<PhysAddr>, capacity: Int) {
    require(capacity >= 0 && capacity <= Int(Int32.max), "a sparse allocator must have less than 2^31 banks")
    origin = span.start.alignedDown(to: PageSize.size1GiB.byteCount)
    sectionCount = span.isEmpty ? 0 : (span.end.byteCount(from: origin) - 1) >> 30 + 1
    setWordCount = (capacity + 63) / 64
    sections = UInt(FrameBank.notBarren - 1) * UInt(setWordCount) * 8
    banks = (sections + UInt(sectionCount) * UInt(MemoryLayout<UInt>.stride) + 7) & ~7
    byteCount = banks + UInt(capacity + 1) * UInt(MemoryLayout<FrameBank>.stride)
  }
}
