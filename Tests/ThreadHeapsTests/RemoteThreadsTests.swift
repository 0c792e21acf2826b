import Addresses
import HeapBlocks
import HeapSpaces
import LabTestSupport
import SpinLocks
import Synchronization
import Testing

@testable import ThreadHeaps

/// Heaps whose threads work at once: what they share has an order, and no block is lost or had twice.
@Suite(.serialized)
struct RemoteThreadsTests {
  /// A block on its way from thread to thread. Its holder wrote its number to every 16th byte.
  private struct Parcel {
    let block: UInt
    let byteCount: UInt
    let stamp: UInt8

    func write() {
      for offset in stride(from: 0, to: byteCount, by: 16) { TestMemory.setByte(stamp, at: VirtAddr(block + offset)) }
    }

    var isIntact: Bool {
      stride(from: 0, to: byteCount, by: 16).allSatisfy { TestMemory.byte(at: VirtAddr(block + $0)) == stamp }
    }
  }

  /// The heaps, one for each thread, and where they leave blocks for each other.
  private final class Workshop: @unchecked Sendable {
    let heaps: TestHeaps
    let all: [ThreadHeap]
    let shelf = Locked<[Parcel?]>(Array(repeating: nil, count: 400))
    let workingCount: Atomic<Int>

    init(threadCount: Int) throws {
      let heaps = try TestHeaps()
      self.heaps = heaps
      all = try (0..<threadCount).map { _ in try heaps.make(largeByteCount: 8 << 20) }
      workingCount = Atomic(threadCount)
    }

    func swap(_ slot: Int, _ parcel: Parcel?) -> Parcel? {
      shelf.withLock { shelf in
        let before = shelf[slot]
        shelf[slot] = parcel
        return before
      }
    }

    /// Takes blocks that others left, frees them, and leaves new ones.
    func work(_ number: Int, stepCount: Int) throws {
      defer { workingCount.subtract(1, ordering: .relaxed) }
      let heap = all[number]
      var generator = SeededGenerator(seed: UInt64(number) + 1)
      for step in 0..<stepCount {
        if let parcel = swap(Int.random(in: 0..<400, using: &generator), nil) {
          if !parcel.isIntact { Issue.record("thread \(number), step \(step): lost content") }
          heap.deallocate(parcel.block)
        }
        let largest: UInt = [64, 700, 5000, 32768][Int.random(in: 0..<16, using: &generator) / 4]
        let byteCount = UInt.random(in: 1...largest, using: &generator)
        let parcel = Parcel(block: try heap.allocate(byteCount), byteCount: byteCount, stamp: UInt8(number + 1))
        parcel.write()
        if let displaced = swap(Int.random(in: 0..<400, using: &generator), parcel) { heap.deallocate(displaced.block) }
        if step % 500 == 499 { heap.purge(.demand) }
      }
    }

    /// Gives every block back, and says how many granules the heaps hold then.
    func clear() -> Int {
      for slot in 0..<400 {
        if let parcel = swap(slot, nil) { all[0].deallocate(parcel.block) }
      }
      for heap in all { heap.flushOutgoing() }
      for heap in all { heap.collectIncoming() }
      for heap in all { heap.releaseEmptySpans() }
      let space = heaps.space
      _ = space.reclaimArenas()
      return (space.fields.firstGranule..<space.committedEnd).count { number in
        let use = space.granule(UInt32(number)).use
        return use != .free && use != .metadata
      }
    }
  }

  @Test("Threads free each other's blocks, and claim each other's spans", arguments: [2, 4])
  func exchange(threadCount: Int) throws {
    let workshop = try Workshop(threadCount: threadCount)
    Threads.run(threadCount) { number in
      do { try workshop.work(number, stepCount: 8000 / threadCount) } catch { Issue.record(error) }
    }
    #expect(workshop.clear() == 0, "some granules have blocks that nobody holds")
    #expect(workshop.all.allSatisfy(workshop.heaps.hasTrueAccount))
    try workshop.heaps.space.checkChunks()
  }

  @Test("One thread allocates, the others free")
  func producer() throws {
    let workshop = try Workshop(threadCount: 3)
    let queue = Locked<[Parcel]>([])
    let stepCount = 6000
    Threads.run(3) { number in
      let heap = workshop.all[number]
      do {
        var freedCount = 0
        while number == 0 ? freedCount < stepCount : workshop.workingCount.load(ordering: .relaxed) == 3 {
          if number == 0 {
            let byteCount = UInt(16 + freedCount % 1500)
            let parcel = Parcel(
              block: try heap.allocate(byteCount), byteCount: byteCount, stamp: UInt8(freedCount % 251))
            parcel.write()
            queue.withLock { $0.append(parcel) }
            freedCount += 1
          } else if let parcel = queue.withLock({ $0.popLast() }) {
            if !parcel.isIntact { Issue.record("lost content") }
            heap.deallocate(parcel.block)
            // Now and then a block of its own, which claims before the heap grows.
            if freedCount % 97 == 0 { heap.deallocate(try heap.allocate(3000)) }
            freedCount += 1
          }
        }
        if number == 0 { workshop.workingCount.subtract(1, ordering: .relaxed) }
      } catch {
        Issue.record(error)
      }
    }
    for parcel in queue.withLock({ $0 }) { workshop.all[1].deallocate(parcel.block) }
    #expect(workshop.clear() == 0)
  }

  @Test("Other threads may count a heap's blocks and look for one on its lists, whatever it does meanwhile")
  func readers() throws {
    let workshop = try Workshop(threadCount: 2)
    Threads.run(3) { number in
      if number < 2 {
        do { try workshop.work(number, stepCount: 3000) } catch { Issue.record(error) }
        return
      }
      let space = workshop.heaps.space
      while workshop.workingCount.load(ordering: .relaxed) > 0 {
        for heap in workshop.all where heap.listedByteCount > 1 << 30 { Issue.record("more than there is") }
        for number in space.fields.firstGranule..<space.committedEnd {
          let span = space.span(UInt32(number))
          guard span.use.isSpan, span.owner != 0 else { continue }
          // Nobody has the last 16 bytes of a granule for a block.
          let none = FreeBlock(space.start(of: span.granule) + Granule.byteCount - 8)
          let owner = ThreadHeap.owner(of: span, in: space)
          let isFound = workshop.all.contains { $0.isOutgoing(none, of: span) }
          if owner.address != space.fields.base, owner.isListed(none, of: span) || isFound { Issue.record("found") }
        }
      }
    }
    #expect(workshop.clear() == 0)
  }
}
