import Addresses
import FirstFitHeap
import Foundation
import LabTestSupport
import Testing

/// Misuses by a program. Each must kill its own process with a line that names it.
@Suite struct FirstFitHeapMisuseTests {
  /// A heap of 64 KiB at a fixed address, which messages can then contain in full.
  private static func makeHeap() -> FirstFitHeap {
    FirstFitHeap(over: FixedMemory.map(byteCount: 64 << 10))
  }

  /// The address of the first block's content in such a heap.
  private static let first = VirtAddr(FixedMemory.start.raw + 48)

  /// A block of 100 bytes, 112 with its header.
  private static func block(in heap: inout FirstFitHeap) throws -> VirtAddr {
    let address = heap.allocate(byteCount: 100)
    return try #require(address)
  }

  private static func expect(
    _ message: String, at address: VirtAddr, in result: ExitTest.Result?, _ location: SourceLocation = #_sourceLocation
  ) {
    let line = "heaplab: \(message): \(address)\n"
    #expect(text(of: result) == line, sourceLocation: location)
  }

  @Test func doubleFree() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var heap = Self.makeHeap()
      let address = try Self.block(in: &heap)
      _ = heap.allocate(byteCount: 100)
      heap.deallocate(address)
      heap.deallocate(address)
    }
    Self.expect(Self.freeBlock, at: Self.first, in: result)
  }

  @Test func doubleFreeOfABlockMergedWithTheHoleBelow() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var heap = Self.makeHeap()
      let below = try Self.block(in: &heap)
      let address = try Self.block(in: &heap)
      _ = heap.allocate(byteCount: 100)
      heap.deallocate(below)
      heap.deallocate(address)
      heap.deallocate(address)
    }
    Self.expect(Self.freeBlock, at: Self.first + 112, in: result)
  }

  @Test func doubleFreeOfABlockMergedWithTheTop() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var heap = Self.makeHeap()
      let address = try Self.block(in: &heap)
      heap.deallocate(address)
      heap.deallocate(address)
    }
    Self.expect(Self.freeBlock, at: Self.first, in: result)
  }

  @Test func foreignPointer() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var heap = Self.makeHeap()
      heap.deallocate(FixedMemory.start + (1 << 20))
    }
    Self.expect(
      "foreign pointer given to the heap, it lies in none of its ranges", at: FixedMemory.start + (1 << 20), in: result)
  }

  @Test func nullPointer() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var heap = Self.makeHeap()
      heap.deallocate(.null)
    }
    Self.expect("foreign pointer given to the heap, it lies in none of its ranges", at: .null, in: result)
  }

  @Test func misalignedPointer() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var heap = Self.makeHeap()
      let address = try Self.block(in: &heap)
      heap.deallocate(address + 8)
    }
    Self.expect("misaligned pointer given to the heap", at: Self.first + 8, in: result)
  }

  @Test func interiorPointer() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var heap = Self.makeHeap()
      let address = try Self.block(in: &heap)
      heap.deallocate(address + 32)
    }
    Self.expect(Self.noBlock, at: Self.first + 32, in: result)
  }

  @Test func resizeOfAFreeBlock() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var heap = Self.makeHeap()
      let address = try Self.block(in: &heap)
      heap.deallocate(address)
      _ = heap.resize(address, toByteCount: 10)
    }
    Self.expect(Self.freeBlock, at: Self.first, in: result)
  }

  @Test func ownHeaderOverwritten() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var heap = Self.makeHeap()
      let address = try Self.block(in: &heap)
      FixedMemory.store(0x2000_0000_0000_0071, at: address - 8)
      heap.deallocate(address)
    }
    Self.expect(Self.noBlock, at: Self.first, in: result)
  }

  @Test func overrunIntoTheNextHeader() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var heap = Self.makeHeap()
      let address = try Self.block(in: &heap)
      _ = heap.allocate(byteCount: 100)
      FixedMemory.store(0x4141_4141_4141_4141, at: address + 104)
      heap.deallocate(address)
    }
    Self.expect("heap corrupted, a block's header was overwritten, at", at: Self.first + 104, in: result)
  }

  @Test func writeToAHolesHeader() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var heap = Self.makeHeap()
      let address = try Self.block(in: &heap)
      _ = heap.allocate(byteCount: 100)
      heap.deallocate(address)
      FixedMemory.store(0x4141_4141_4141_4141, at: address - 8)
      _ = heap.allocate(byteCount: 50)
    }
    Self.expect("heap corrupted, freed memory was written to, in the hole at", at: Self.first - 8, in: result)
  }

  @Test func writeToAHolesBoundaryTag() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var heap = Self.makeHeap()
      let address = try Self.block(in: &heap)
      let next = try Self.block(in: &heap)
      _ = heap.allocate(byteCount: 100)
      heap.deallocate(address)
      // The size in the hole's node lies 12 bytes before the hole's end, inside this word.
      FixedMemory.store(0, at: next - 24)
      heap.deallocate(next)
    }
    #expect(text(of: result).hasPrefix("heaplab: heap corrupted, freed memory was written to, in the hole at: 0x"))
  }

  @Test func writeToAHolesLinks() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var heap = Self.makeHeap()
      let address = try Self.block(in: &heap)
      _ = heap.allocate(byteCount: 100)
      heap.deallocate(address)
      // "Up and lean", the last field of the node: a parent that does not exist.
      FixedMemory.store(0x0000_0040_0000_0000, at: address + 96)
      _ = heap.allocate(byteCount: 100)
    }
    #expect(text(of: result).hasPrefix("heaplab: heap corrupted, freed memory was written to, near: 0x"))
  }

  @Test func alignmentThatIsNoPowerOfTwo() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var heap = Self.makeHeap()
      _ = heap.allocate(byteCount: 100, alignment: 48)
    }
    Self.expect("an alignment must be a power of two, found", at: VirtAddr(48), in: result)
  }

  @Test func overlappingRanges() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      let range = FixedMemory.map(byteCount: 64 << 10)
      var heap = FirstFitHeap(over: range)
      heap.insert(AddrRange(start: range.start + 4096, byteCount: 4096))
    }
    Self.expect("a heap's ranges must not overlap, found", at: FixedMemory.start + 4096, in: result)
  }

  @Test func extensionOfNothing() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var heap = FirstFitHeap()
      heap.extend(by: 4096)
    }
    #expect(text(of: result) == "heaplab: a heap without any range cannot be extended; insert one first\n")
  }

  /// The size of a hole may then be more than lies below the hole.
  @Test(arguments: [false, true])
  func writeAfterFreeAtALowAddress(hasTable: Bool) async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) { [hasTable] in
      let memory = FixedMemory.map(byteCount: 1 << 20, at: VirtAddr(0x1000_0000))
      var heap = FirstFitHeap(over: memory, search: hasTable ? .table : .tree)
      let address = try Self.block(in: &heap)
      _ = heap.allocate(byteCount: 100)
      heap.deallocate(address)
      // The words of the hole's node, 112 bytes from its start on.
      FixedMemory.store(0x4141_4141_4141_4141, at: address + 88)
      _ = heap.allocate(byteCount: 90)
    }
    #expect(text(of: result).hasPrefix("heaplab: heap corrupted, freed memory was written to, "))
  }

  private static let freeBlock = "pointer to a free block given to the heap (a double free, or use after free)"
  private static let noBlock = "no block starts at the pointer given to the heap, or its header was overwritten"
}
