import Testing

@testable import HeapBlocks

@Suite("Classes of large blocks")
struct LargeClassTests {
  /// The size of a class: 16 to each doubling, from 32 KiB on.
  private static func byteCount(_ index: Int) -> UInt { UInt(16 + index % 16) << UInt(11 + index / 16) }

  @Test("A request gets the smallest class that serves it")
  func fitting() {
    for index in 1..<LargeClass.count {
      let byteCount = Self.byteCount(index)
      #expect(LargeClass(fitting: byteCount).index == index)
      #expect(LargeClass(fitting: Self.byteCount(index - 1) + 1).index == index)
    }
    #expect(Self.byteCount(LargeClass.count - 1) == LargeClass.maximumByteCount)
    #expect(LargeClass(fitting: (32 << 10) + 1).index == 1, "there is one below")
  }

  @Test("A block belongs to the largest class that it serves")
  func within() {
    for index in 0..<LargeClass.count {
      let byteCount = Self.byteCount(index)
      #expect(LargeClass(within: byteCount).index == index)
      #expect(LargeClass(within: Self.byteCount(index + 1) - 1).index == index)
      #expect((Self.byteCount(index + 1) - 1 - byteCount) * 16 <= byteCount, "at most a sixteenth below")
    }
    #expect(LargeClass(within: Self.byteCount(LargeClass.count)).index >= LargeClass.count)
    #expect(LargeClass(within: 32 << 20).index < LargeClass.none)
  }

  @Test("A block of the class that a request asks for holds the request, whatever the sizes")
  func serves() {
    for byteCount in stride(from: UInt(32 << 10) + 1, through: LargeClass.maximumByteCount, by: 1021) {
      let wanted = LargeClass(fitting: byteCount)
      #expect(wanted.index < LargeClass.count)
      #expect(Self.byteCount(wanted.index) >= byteCount && Self.byteCount(wanted.index - 1) < byteCount)
    }
  }

  @Test("There is one element for each class")
  func counts() {
    #expect(ByLargeClass<UInt8>.count == LargeClass.count)
    #expect(LargeClass.none >= LargeClass.count && LargeClass.none <= UInt8.max)
  }
}
