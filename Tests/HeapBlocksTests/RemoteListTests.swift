import Testing

@testable import HeapBlocks

@Suite("Lists of blocks that other threads gave back")
struct RemoteListTests {
  /// The highest address that a program on x86-64 may have, at a multiple of 16.
  private static let highest: UInt = 0x7FFF_FFFF_FFF0

  @Test("The word 0 is the empty list of a span that is not settled")
  func empty() {
    let list = RemoteList(word: 0)
    #expect(list.isEmpty && list.count == 0 && list.first == 0 && !list.isSettled)
  }

  @Test("Adding counts, and puts the new blocks in front", arguments: [0x1000, highest], [false, true])
  func adding(first: UInt, isSettled: Bool) {
    var list = RemoteList(word: isSettled ? RemoteList.settled : 0)
    #expect(list.isEmpty)
    for (step, count) in ([1, 64, 3, 1] as [UInt]).enumerated() {
      let before = list
      let newest = first - 16 * UInt(step)
      list = before.adding(count, first: newest)
      #expect(list.count == before.count + count && list.first == newest && !list.isEmpty)
      #expect(list.isSettled == isSettled)
    }
  }

  @Test("All 4096 blocks of a span fit the count, one by one", arguments: [false, true])
  func countsTo4096(isSettled: Bool) {
    var list = RemoteList(word: isSettled ? RemoteList.settled : 0)
    for number in UInt(1)...4096 {
      list = list.adding(1, first: RemoteListTests.highest)
      if list.count != number { Issue.record("\(list.count) for \(number)") }
    }
    #expect(list.first == RemoteListTests.highest && list.isSettled == isSettled)
  }

  @Test("A span is settled, or not, with any blocks, and the bit alone is no block")
  func settled() {
    let list = RemoteList(word: 0).adding(4096, first: RemoteListTests.highest)
    let settled = RemoteList(word: list.word | RemoteList.settled)
    #expect(settled.isSettled && settled.count == 4096 && settled.first == list.first)
    #expect(RemoteList(word: settled.word & ~RemoteList.settled) == list)
    let alone = RemoteList(word: RemoteList.settled)
    #expect(alone.isEmpty && alone.count == 0 && alone.first == 0)
  }
}
