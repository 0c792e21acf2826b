import CLabMalloc
import Testing

@testable import HeapBlocks

/// The table that leads the hot path of `malloc` to a size class.
@Suite("The table of size classes")
struct SizeClassTableTests {
  @Test("It has the class of every request, and ends where magazines begin")
  func classes() {
    for byteCount in UInt(0)...UInt(LAB_MALLOC_SIZE_CLASSES_MAXIMUM) {
      #expect(lab_malloc_size_class(byteCount) == SizeClass(fitting: byteCount).index, "\(byteCount) bytes")
    }
    #expect(SizeClass(fitting: UInt(LAB_MALLOC_SIZE_CLASSES_MAXIMUM) + 1).index == SizeClass.firstWithMagazine)
  }
}
