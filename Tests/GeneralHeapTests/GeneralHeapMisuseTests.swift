import Addresses
import HeapSpaces
import LabTestSupport
import MemoryProtocols
import Testing

@testable import GeneralHeap

/// Misuses by a program. Each must kill its own process with a line that names it.
@Suite("Misuse of the general heap")
struct GeneralHeapMisuseTests {
  /// A heap over 4 MiB at a fixed address, with two blocks of 40 bytes.
  private static func makeHeap() -> GeneralHeap {
    var heap = GeneralHeap(over: FixedMemory.map(byteCount: 4 << 20))
    for _ in 0..<2 { _ = heap.allocate(byteCount: 40, alignment: 16) }
    return heap
  }

  /// Where the first one is: the first granule has the tables, the second one the heap's record.
  private static let block = FixedMemory.start + 2 * Granule.byteCount

  enum Misuse: String, CaseIterable, Codable {
    case below, above, tables, record, neverGivenOut, interior, afterFree, doubleResize, sizeAfterFree

    var offset: Int {
      switch self {
      case .below: -0x30000
      case .above: (4 << 20) - 0x20000
      case .tables: -0x20000 + 64
      case .record: -0x10000 + 64
      case .neverGivenOut: 0x10000
      case .interior: 16
      case .afterFree, .doubleResize, .sizeAfterFree: 0
      }
    }

    var message: String {
      switch self {
      case .below, .above, .tables, .record, .neverGivenOut: "free of a pointer that heaplab did not give out"
      case .interior: "free of a pointer into the middle of a block"
      case .afterFree, .doubleResize, .sizeAfterFree: "double free"
      }
    }

    var address: VirtAddr { VirtAddr(UInt(Int(GeneralHeapMisuseTests.block.raw) + offset)) }
  }

  @Test("ends the process with one line", arguments: Misuse.allCases)
  func ends(misuse: Misuse) async {
    let result = await #expect(processExitsWith: .signal(6), observing: [\.standardErrorContent]) { [misuse] in
      var heap = Self.makeHeap()
      if misuse.message == "double free" { heap.deallocate(Self.block) }
      switch misuse {
      case .doubleResize: _ = heap.resize(misuse.address, toByteCount: 30)
      case .sizeAfterFree: _ = heap.usableByteCount(of: misuse.address)
      default: heap.deallocate(misuse.address)
      }
    }
    #expect(text(of: result) == "heaplab: \(misuse.message): \(misuse.address)\n")
  }

  @Test("An alignment that is no power of two ends the process with one line")
  func alignment() async {
    let result = await #expect(processExitsWith: .signal(6), observing: [\.standardErrorContent]) {
      var heap = Self.makeHeap()
      _ = heap.allocate(byteCount: 40, alignment: 24)
    }
    #expect(text(of: result) == "heaplab: an alignment must be a power of two, found: 0x18\n")
  }
}
