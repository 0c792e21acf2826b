import Foundation
import LabTestSupport
import NUMARegions
import Testing

@Suite struct NUMANodeSetTests {
  @Test func aSetHoldsWhatIsInserted() {
    var set = NUMANodeSet()
    #expect(set.isEmpty && set.count == 0 && set.first == nil)
    for number in [0, 63, 64, 1023] as [UInt16] { set.insert(NUMANode(number)) }
    #expect(set.count == 4)
    var numbers: [UInt16] = []
    set.forEach { numbers.append($0.rawValue) }
    #expect(numbers == [0, 63, 64, 1023])
    #expect(!set.contains(NUMANode(1)) && set.contains(NUMANode(1023)))
    #expect(set.next(after: NUMANode(1023)) == nil)
    set.remove(NUMANode(0))
    #expect(set.first == NUMANode(63))
    #expect(set == [NUMANode(64), NUMANode(63), NUMANode(1023)])
    #expect(set != [NUMANode(64)])
    #expect("\(set)" == "nodes 63, 64, 1023")
    #expect("\(NUMANodeSet())" == "no nodes")
  }

  @Test func aNodePastTheLastIsABrokenContract() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = NUMANode(1024)
    }
    #expect(text(of: result) == "heaplab: a node's number must be 0 to 1023, found: 0x400\n")
  }
}
