public import Addresses
import Foundation
public import MemoryProtocols

/// The model that checks every allocation policy.
///
/// It forwards requests to the policy and records what must hold for the answers: every block lies inside the range, is
/// aligned and overlaps no other. Its holder may use it to the last usable byte without disturbing anything, and it
/// keeps its content, in place and through a resize. The model fills every usable byte with a pattern of the block's
/// own. It throws every violation as a ``ShadowFinding``.
public struct ShadowHeap<Policy: HeapPolicy & ~Copyable>: ~Copyable {
  /// The policy under test.
  public var policy: Policy

  /// The blocks in use, oldest first.
  public private(set) var blocks: [ShadowBlock] = []

  /// The start of every block in use and the first address past its usable bytes, in address order.
  private var extents: [(start: VirtAddr, end: VirtAddr)] = []

  private let range: AddrRange<VirtAddr>
  private var patterns = SeededGenerator(seed: 0)

  /// A policy over `range`, with its model.
  public init(over range: AddrRange<VirtAddr>) {
    self.range = range
    policy = Policy(over: range)
  }

  /// Allocates a block; false when the policy has none.
  public mutating func allocate(byteCount: UInt, alignment: UInt = 16) throws(ShadowFinding) -> Bool {
    guard let address = policy.allocate(byteCount: byteCount, alignment: alignment) else { return false }
    guard address.isAligned(to: alignment) else {
      throw ShadowFinding("block at \(address) misses its alignment \(alignment)")
    }
    var block = ShadowBlock(address: address, byteCount: byteCount, usableByteCount: 0, pattern: patterns.next())
    try adopt(&block)
    blocks.append(block)
    return true
  }

  /// Checks the content of a block and deallocates it.
  public mutating func deallocate(at index: Int) throws(ShadowFinding) {
    let block = blocks.remove(at: index)
    try check(block, upTo: block.usableByteCount)
    dropExtent(of: block)
    policy.deallocate(block.address)
  }

  /// Resizes a block in place and checks that it kept its content; false when the policy could not.
  public mutating func resize(at index: Int, toByteCount byteCount: UInt) throws(ShadowFinding) -> Bool {
    var block = blocks[index]
    try check(block, upTo: block.usableByteCount)
    guard policy.resize(block.address, toByteCount: byteCount) else {
      guard policy.usableByteCount(of: block.address) == block.usableByteCount else {
        throw ShadowFinding("a resize that failed changed the block at \(block.address)")
      }
      try check(block, upTo: block.usableByteCount)
      return false
    }
    try check(block, upTo: min(block.byteCount, byteCount))
    dropExtent(of: block)
    block.byteCount = byteCount
    try adopt(&block)
    blocks[index] = block
    return true
  }

  /// Deallocates every block.
  public mutating func deallocateAll() throws(ShadowFinding) {
    while !blocks.isEmpty { try deallocate(at: blocks.count - 1) }
  }

  /// Asks for the block's usable size, checks that it overlaps no other block, and fills it.
  private mutating func adopt(_ block: inout ShadowBlock) throws(ShadowFinding) {
    block.usableByteCount = policy.usableByteCount(of: block.address)
    guard block.usableByteCount >= block.byteCount else {
      throw ShadowFinding(
        "block at \(block.address): \(block.byteCount) bytes asked for, \(block.usableByteCount) usable")
    }
    let end = block.address + max(block.usableByteCount, 1)
    guard range.start <= block.address, end <= range.end else {
      throw ShadowFinding("block at \(block.address) leaves the range \(range)")
    }
    let index = position(of: block.address)
    if index > 0, extents[index - 1].end > block.address {
      throw ShadowFinding("block at \(block.address) overlaps the one at \(extents[index - 1].start)")
    }
    if index < extents.count, extents[index].start < end {
      throw ShadowFinding("block at \(block.address) overlaps the one at \(extents[index].start)")
    }
    extents.insert((start: block.address, end: end), at: index)
    block.fill()
  }

  /// The index in `extents` at which an address belongs.
  private func position(of address: VirtAddr) -> Int {
    var low = 0
    var high = extents.count
    while low < high {
      let middle = (low + high) / 2
      if extents[middle].start < address { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private mutating func dropExtent(of block: ShadowBlock) {
    extents.remove(at: position(of: block.address))
  }

  private func check(_ block: ShadowBlock, upTo byteCount: UInt) throws(ShadowFinding) {
    if let offset = block.firstDifference(upTo: byteCount) {
      throw ShadowFinding("block at \(block.address) of \(block.byteCount) bytes lost its content at byte \(offset)")
    }
  }
}

/// A block in use, as the model knows it.
public struct ShadowBlock: Sendable {
  /// The address of its content.
  public let address: VirtAddr
  /// How many bytes were requested.
  public internal(set) var byteCount: UInt
  /// How many bytes its holder may use.
  public internal(set) var usableByteCount: UInt
  /// The pattern that distinguishes its content from every other block's.
  let pattern: UInt64

  /// Fills the usable bytes with the pattern, repeated from the start.
  func fill() {
    let written = min(usableByteCount, 8)
    // SAFETY: the policy said that these bytes are the holder's. Each copy doubles the written bytes, without overlap.
    unsafe withUnsafeBytes(of: pattern) { pattern in
      unsafe UnsafeMutableRawBufferPointer(start: address.unsafePointer, count: Int(written))
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: pattern[..<Int(written)]))
    }
    var byteCount = written
    while byteCount < usableByteCount {
      let more = min(byteCount, usableByteCount - byteCount)
      // SAFETY: as above.
      unsafe (address + byteCount).unsafePointer.copyMemory(from: address.unsafePointer, byteCount: Int(more))
      byteCount += more
    }
  }

  /// The first of `byteCount` bytes that differs from the pattern.
  func firstDifference(upTo byteCount: UInt) -> UInt? {
    // SAFETY: the block is in use and has at least `byteCount` bytes.
    let start = unsafe address.unsafePointer
    let isIntact = unsafe withUnsafePointer(to: pattern) { pattern in
      unsafe memcmp(start, pattern, Int(min(byteCount, 8))) == 0
        && (byteCount <= 8 || memcmp(start, start + 8, Int(byteCount - 8)) == 0)
    }
    if isIntact { return nil }
    return (0..<byteCount).first { offset in
      // SAFETY: as above.
      unsafe start.load(fromByteOffset: Int(offset), as: UInt8.self)
        != UInt8(truncatingIfNeeded: pattern >> (8 * UInt64(offset % 8)))
    }
  }
}

/// A violation that the model found in a policy.
public struct ShadowFinding: Error, CustomStringConvertible, Sendable {
  public let description: String

  init(_ description: String) {
    self.description = description
  }
}
