import Addresses
import LabTestSupport
import Testing

@testable import HeapBlocks

@Suite("Free blocks")
struct FreeBlockTests {
  @Test("A block links to the next one by its first word, and carries the mark in its second")
  func words() {
    let memory = TestMemory(byteCount: 4096)
    let start = memory.range.start
    for offset in UInt(0)..<48 { TestMemory.setByte(0xEE, at: start + offset) }
    let block = FreeBlock(start.raw + 16)
    block.next = 0x1234_5678_9AB0
    block.markWord = FreeBlock.mark
    #expect(block.next == 0x1234_5678_9AB0 && block.looksFree)
    #expect(block.glimpse == (0x1234_5678_9AB0, true))
    #expect(Self.bytes(from: start + 16, count: 8) == Self.bytes(of: 0x1234_5678_9AB0))
    #expect(Self.bytes(from: start + 24, count: 8) == Self.bytes(of: UInt(bitPattern: FreeBlock.mark)))
    #expect(
      Self.bytes(from: start, count: 16) + Self.bytes(from: start + 32, count: 16) == Array(repeating: 0xEE, count: 32))
  }

  @Test("Without the mark a block does not look free, whatever else it holds")
  func mark() {
    let memory = TestMemory(byteCount: 4096)
    let block = FreeBlock(memory.range.start.raw)
    block.next = 0
    for word in [
      0, 1, -1, FreeBlock.mark + 1, FreeBlock.mark & 0xFFFF_FFFF, Int(UInt(bitPattern: FreeBlock.mark) >> 32),
    ] {
      block.markWord = word
      #expect(!block.looksFree && !block.glimpse.looksFree, "\(word)")
    }
    block.markWord = FreeBlock.mark
    block.next = UInt(bitPattern: FreeBlock.mark)
    #expect(block.looksFree && block.glimpse == (UInt(bitPattern: FreeBlock.mark), true))
  }

  @Test("The mark is a sign-extended 32-bit operand, and no address")
  func markFitsAnOperand() {
    #expect(FreeBlock.mark == Int(Int32(truncatingIfNeeded: FreeBlock.mark)))
    #expect(FreeBlock.mark < 0 && FreeBlock.mark % 16 != 0)
  }

  private static func bytes(from start: VirtAddr, count: UInt) -> [UInt8] {
    (0..<count).map { TestMemory.byte(at: start + $0) }
  }

  private static func bytes(of word: UInt) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * UInt($0))) }
  }
}
