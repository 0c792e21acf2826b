import Testing

@testable import HeapBenchKit

/// The comparison of heaps at a small size.
@Suite struct HeapComparisonTests {
  @Test func bothSearchesNeedTheSameMemoryButTheTable() throws {
    let extents = try ComparedHeap.own.map { try HeapComparison.run($0, liveCount: 500) }
    #expect(extents.allSatisfy { (1.0...1.5).contains($0) }, "\(extents)")
    // The table takes 1/105 of the memory, which is 12 times the live bytes at that size.
    #expect((0.11...0.13).contains(extents[0] - extents[1]), "\(extents)")
  }

  @Test func namesAHeapOrALibrary() throws {
    #expect(ComparedHeap("tree")?.name == "tree")
    let library = try #require(ComparedHeap("tlsf=./libtlsf.so"))
    #expect(library.name == "tlsf")
    #expect(library.text == "tlsf=./libtlsf.so")
    for text in ["", "tlsf", "=path", "tlsf="] { #expect(ComparedHeap(text) == nil) }
  }

  @Test func aLibraryThatIsMissingIsNamed() throws {
    let error = try #require(throws: MeasurementFailure.self) {
      _ = try HeapComparison.run(.library(name: "none", path: "/nowhere/libnone.so"), liveCount: 10)
    }
    #expect("\(error)".hasPrefix("the heap '/nowhere/libnone.so' cannot be loaded: "))
  }
}
