import Addresses
import Glibc
import LabTestSupport
import PageTables
import Testing

/// The calls of a tagged TLB, as text.
struct RecordingTLB: TaggedTLB {
  private(set) var calls: [String] = []

  mutating func invalidate(_ start: VirtAddr, pageCount: UInt64, of tag: AddressSpaceTag) {
    calls.append("\(pageCount) pages from \(hex(UInt64(start.raw))) of \(tag.number)")
  }
  mutating func invalidateAll(of tag: AddressSpaceTag) { calls.append("all of \(tag.number)") }
  mutating func invalidateGlobal(_ start: VirtAddr, pageCount: UInt64) {
    calls.append("\(pageCount) global pages from \(hex(UInt64(start.raw)))")
  }
  mutating func invalidateEverything() { calls.append("everything") }
}

@Suite struct AddressSpaceTagsTests {
  @Test(arguments: [2, 63, 64, 65, 127, 128]) func everyTagIsGivenOnce(count: Int) {
    var tags = AddressSpaceTags<2>(count: count)
    var tlb = RecordingTLB()
    #expect(tags.freeCount == count - 1)
    var given: [UInt16] = []
    while let tag = tags.allocate(&tlb) { given.append(tag.number) }
    #expect(given == Array(1..<UInt16(count)))
    #expect(tags.freeCount == 0 && tlb.calls.isEmpty)
  }

  @Test func withoutTagsThereIsNoneToGive() {
    var tags = AddressSpaceTags<1>(count: 1)
    var tlb = RecordingTLB()
    let none = tags.allocate(&tlb)
    #expect(none == nil && tlb.calls.isEmpty)
  }

  @Test func aFreedTagIsGivenOnlyAfterAFlush() {
    var tags = AddressSpaceTags<1>(count: 4)
    var tlb = RecordingTLB()
    let given = (0..<2).map { _ in tags.allocate(&tlb) }
    tags.deallocate(given[0] ?? .untagged)
    let clean = tags.allocate(&tlb)
    #expect(clean?.number == 3 && tlb.calls.isEmpty)
    let again = tags.allocate(&tlb)
    #expect(again == given[0] && tlb.calls == ["everything"])
    let none = tags.allocate(&tlb)
    #expect(none == nil && tlb.calls.count == 1)
  }

  /// Random allocations and deallocations: no tag is given twice, or again without a flush in between.
  @Test(arguments: 1...3) func againstASet(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var tags = AddressSpaceTags<4>(count: 200)
    var tlb = RecordingTLB()
    var used: Set<AddressSpaceTag> = []
    var stale: Set<AddressSpaceTag> = []
    for _ in 0..<5_000 {
      if Bool.random(using: &random) || used.isEmpty {
        let flushCount = tlb.calls.count
        let tag = tags.allocate(&tlb)
        if tlb.calls.count > flushCount { stale = [] }
        guard let tag else {
          #expect(used.count == 199)
          continue
        }
        #expect(!stale.contains(tag) && tag != .untagged && tag.number < 200)
        #expect(used.insert(tag).inserted)
      } else if let tag = used.sorted(by: { $0.number < $1.number }).randomElement(using: &random) {
        used.remove(tag)
        stale.insert(tag)
        tags.deallocate(tag)
      }
      #expect(tags.freeCount == 199 - used.count)
    }
    #expect(tlb.calls.count < 50)
  }

  @Test func freeingATagTwiceTraps() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var tags = AddressSpaceTags<1>(count: 4)
      var tlb = RecordingTLB()
      guard let tag = tags.allocate(&tlb) else { return }
      tags.deallocate(tag)
      tags.deallocate(tag)
    }
    #expect(text(of: result).contains("a freed address-space tag must be in use, found: 0x1"))
  }

  @Test func freeingTheUntaggedTraps() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var tags = AddressSpaceTags<1>(count: 4)
      tags.deallocate(.untagged)
    }
    #expect(text(of: result).contains("a freed address-space tag must be in use, found: 0x0"))
  }

  @Test func tooManyTagsTrap() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = AddressSpaceTags<1>(count: 65)
    }
    #expect(text(of: result).contains("an allocator of tags must have 1 to 64 for each of its words, found: 0x41"))
  }
}

@Suite struct TaggedInvalidatorTests {
  @Test func flushesReachTheTag() throws {
    var frames = TestFrames()
    var table = try PageTable<X86FourLevel, OffsetPhysMapper>(mapper: frames.mapper, &frames)
    let page = Page(start: VirtAddr(0x40_0000))
    try table.map(page, to: Page(start: .null), .userData, &frames).ignore()
    var tagged = TaggedInvalidator(RecordingTLB(), tag: AddressSpaceTag(7))
    try table.updatePermissions(page, .userReadOnly).flush(using: &tagged)
    tagged.invalidateAll()
    #expect(tagged.tlb.calls == ["1 pages from 0x400000 of 7", "all of 7"])
    var every = TaggedInvalidator(everyTagOf: RecordingTLB())
    _ = try table.unmap(page).flush(using: &every)
    every.invalidateAll()
    #expect(every.tlb.calls == ["1 global pages from 0x400000", "everything"])
  }
}
