import Addresses
import LabTestSupport
import SpinLocks
import Testing

@testable import ProcessHeap

/// The process heap, which is malloc's, as an ordinary module beside the process's own malloc: what sanitizers can see.
@Suite(.serialized)
struct ProcessHeapTests {
  /// A block that goes from thread to thread, and the byte it is filled with.
  private struct Parcel {
    var address: UInt = 0
    var byteCount: UInt = 0
    var fill: UInt8 = 0

    func write() {
      for offset in Parcel.samples(byteCount) { TestMemory.setByte(fill, at: VirtAddr(address + offset)) }
    }

    /// Whether the bytes that were written are still there, up to `count` of them.
    func isIntact(_ count: UInt) -> Bool {
      Parcel.samples(count).allSatisfy { TestMemory.byte(at: VirtAddr(address + $0)) == fill }
    }

    private static func samples(_ count: UInt) -> [UInt] {
      Array(stride(from: 0, to: min(count, 4096), by: 16)) + Array(stride(from: 4096, to: count, by: 4096))
    }
  }

  @Test("Threads pass blocks of every kind to each other", arguments: [1, 4, 16])
  func exchange(threadCount: Int) {
    ProcessHeap.deallocate(ProcessHeap.allocate(1))
    let shelf = Shelf()
    Threads.run(threadCount) { number in
      var generator = SeededGenerator(seed: UInt64(number) + 1)
      for step in 0..<(3_000 / threadCount) {
        let parcel = shelf.swap(slot: Int.random(in: 0..<Shelf.slotCount, using: &generator), with: nil)
        if let parcel {
          if !parcel.isIntact(parcel.byteCount) { Issue.record("thread \(number), step \(step): lost content") }
          ProcessHeap.deallocate(parcel.address)
        }
        guard let made = Self.make(&generator) else {
          Issue.record("thread \(number), step \(step): no memory")
          continue
        }
        let slot = Int.random(in: 0..<Shelf.slotCount, using: &generator)
        if let displaced = shelf.swap(slot: slot, with: made) { ProcessHeap.deallocate(displaced.address) }
      }
    }
    for slot in 0..<Shelf.slotCount {
      if let parcel = shelf.swap(slot: slot, with: nil) { ProcessHeap.deallocate(parcel.address) }
    }
  }

  @Test("Threads that come and go free what those before them left")
  func handOver() {
    let legacy = Locked<[Parcel]>([])
    for round in 0..<24 {
      Threads.run(4) { number in
        var generator = SeededGenerator(seed: UInt64(round * 4 + number) + 1)
        let inherited = legacy.withLock { parcels in
          let count = min(parcels.count, 400)
          defer { parcels.removeLast(count) }
          return Array(parcels.suffix(count))
        }
        // Some threads stay young, on the heap that they share; the others get one that an ended thread left.
        let own = (0..<(number == 0 ? 40 : 400)).compactMap { _ in Self.make(&generator, largest: 3000) }
        for parcel in inherited {
          if !parcel.isIntact(parcel.byteCount) { Issue.record("round \(round), thread \(number): lost content") }
          ProcessHeap.deallocate(parcel.address)
        }
        if round % 8 == 7 { _ = ProcessHeap.trim() }
        legacy.withLock { $0 += own }
      }
    }
    for parcel in legacy.withLock({ $0 }) { ProcessHeap.deallocate(parcel.address) }
  }

  /// A block of some kind, filled.
  private static func make(_ generator: inout SeededGenerator) -> Parcel? {
    make(&generator, largest: [100, 2000, 40_000, 300_000, 3 << 20][Int.random(in: 0..<32, using: &generator) / 7])
  }

  /// A block of some kind of at most `largest` bytes, filled.
  private static func make(_ generator: inout SeededGenerator, largest: UInt) -> Parcel? {
    var parcel = Parcel(
      byteCount: UInt.random(in: 0...largest, using: &generator), fill: UInt8.random(in: 1...255, using: &generator))
    switch Int.random(in: 0..<4, using: &generator) {
    case 0:
      parcel.address = ProcessHeap.allocateZeroed(parcel.byteCount)
      let zero = Parcel(address: parcel.address, byteCount: parcel.byteCount, fill: 0)
      if !zero.isIntact(parcel.byteCount) { Issue.record("calloc's block of \(parcel.byteCount) bytes is not zero") }
    case 1:
      let alignment = UInt(1) << UInt.random(in: 4...13, using: &generator)
      parcel.address = ProcessHeap.allocate(parcel.byteCount, alignment: alignment)
      if parcel.address % alignment != 0 { Issue.record("\(parcel.address) is no multiple of \(alignment)") }
    case 2:
      parcel.address = ProcessHeap.allocate(parcel.byteCount)
      parcel.write()
      let kept = parcel.byteCount
      parcel.byteCount = UInt.random(in: 1...largest, using: &generator)
      parcel.address = ProcessHeap.reallocate(parcel.address, parcel.byteCount)
      if !parcel.isIntact(min(kept, parcel.byteCount)) { Issue.record("realloc from \(kept) lost content") }
    default:
      parcel.address = ProcessHeap.allocate(parcel.byteCount)
    }
    guard parcel.address != 0 else { return nil }
    if ProcessHeap.usableByteCount(of: parcel.address) < parcel.byteCount { Issue.record("too short") }
    parcel.write()
    return parcel
  }

  /// Where threads leave blocks for each other.
  private final class Shelf: Sendable {
    static let slotCount = 500
    private let slots = Locked<[Parcel?]>(Array(repeating: nil, count: slotCount))

    func swap(slot: Int, with parcel: Parcel?) -> Parcel? {
      slots.withLock { slots in
        let before = slots[slot]
        slots[slot] = parcel
        return before
      }
    }
  }
}
