import HeapSpaces
import LabTestSupport
import Testing

@testable import ThreadHeaps

@Suite("A thread heap over a caller's memory")
struct ThreadHeapTests {
  @Test("A range too short for a record has no heap")
  func tooShort() throws {
    let memory = TestMemory(byteCount: 256 << 10)
    let range = memory.range.alignedInward(to: Granule.byteCount)
    let space = try #require(HeapSpace.create(base: range.start.raw, byteCount: range.byteCount))
    space.quotaByteCount = 0
    #expect(ThreadHeap.create(over: space) == nil)
  }
}
