import Testing

@testable import HeapBlocks

@Suite("Lists of blocks that other threads gave back")
struct RemoteListTests {
  /// Where a span starts, the highest one that a program on x86-64 may have, and its last block.
  private static let start: UInt = 0x7FFF_FFFF_0000
  private static let highest = start + 0xFFF0

  @Test("The word 0 is the empty list of a span that is not settled")
  func empty() {
    let list = RemoteList(word: 0)
    #expect(list.isEmpty && list.count == 0 && !list.isSettled)
    #expect(list.first(from: Self.start) == 0 && list.last(from: Self.start) == 0)
  }

  @Test("Adding counts, and puts the new blocks in front", arguments: [start + 0x1000, highest], [false, true])
  func adding(first: UInt, isSettled: Bool) {
    var list = RemoteList(word: isSettled ? RemoteList.settled : 0)
    #expect(list.isEmpty)
    for (step, count) in ([1, 64, 3, 1] as [UInt]).enumerated() {
      let before = list
      let newest = first - 32 * UInt(step)
      list = before.adding(count, first: newest, last: newest - 16)
      #expect(list.count == before.count + count && list.first(from: Self.start) == newest && !list.isEmpty)
      #expect(list.last(from: Self.start) == first - 16, "the last block stays")
      #expect(list.isSettled == isSettled)
    }
  }

  @Test("A span's first block is a block")
  func firstBlock() {
    let list = RemoteList(word: 0).adding(1, first: Self.start, last: Self.start)
    #expect(!list.isEmpty && list.first(from: Self.start) == Self.start && list.last(from: Self.start) == Self.start)
  }

  @Test("All 4096 blocks of a span fit the count, one by one", arguments: [false, true])
  func countsTo4096(isSettled: Bool) {
    var list = RemoteList(word: isSettled ? RemoteList.settled : 0)
    for number in UInt(1)...4096 {
      list = list.adding(1, first: Self.highest, last: Self.highest)
      if list.count != number { Issue.record("\(list.count) for \(number)") }
    }
    #expect(list.first(from: Self.start) == Self.highest && list.isSettled == isSettled)
  }

  @Test("A span is settled, or not, with any blocks, and the bit alone is no block")
  func settled() {
    let list = RemoteList(word: 0).adding(4096, first: Self.highest, last: Self.start)
    let settled = RemoteList(word: list.word | RemoteList.settled)
    #expect(settled.isSettled && settled.count == 4096)
    #expect(settled.first(from: Self.start) == Self.highest && settled.last(from: Self.start) == Self.start)
    #expect(RemoteList(word: settled.word & ~RemoteList.settled) == list)
    let alone = RemoteList(word: RemoteList.settled)
    #expect(alone.isEmpty && alone.count == 0 && alone.first(from: Self.start) == 0)
  }
}
