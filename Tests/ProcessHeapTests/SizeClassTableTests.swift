import CLabMalloc
import Testing

@testable import HeapBlocks

/// The tables by which the hot paths find size classes and sizes.
@Suite("The tables of size classes")
struct SizeClassTableTests {
  @Test("There is the class of every request up to the smallest one with a magazine")
  func classes() {
    for byteCount in UInt(0)...UInt(LAB_MALLOC_SIZE_CLASSES_MAXIMUM) {
      #expect(lab_malloc_size_class(byteCount) == SizeClass(fitting: byteCount).index, "\(byteCount) bytes")
    }
    #expect(SizeClass(fitting: UInt(LAB_MALLOC_SIZE_CLASSES_MAXIMUM) + 1).index == SizeClass.firstWithMagazine)
  }

  @Test("There is the size of every class's blocks")
  func sizes() {
    #expect(LAB_MALLOC_SIZE_CLASS_COUNT == Int32(SizeClass.count))
    for index in 0..<SizeClass.count {
      #expect(lab_malloc_block_size(index) == SizeClass(index: index).blockByteCount, "class \(index)")
    }
  }
}
