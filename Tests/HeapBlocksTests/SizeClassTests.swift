import Testing

@testable import HeapBlocks

@Suite("Size classes")
struct SizeClassTests {
  @Test("The smallest class that fits, for every request")
  func smallestFit() {
    var last = 0
    for byteCount in 0...SizeClass.maximumByteCount {
      let sizeClass = SizeClass(fitting: byteCount)
      #expect(sizeClass.blockByteCount >= byteCount)
      #expect(sizeClass.index >= last && sizeClass.index < SizeClass.count)
      if sizeClass.index > 1 {
        #expect(SizeClass(index: sizeClass.index - 1).blockByteCount < byteCount)
      }
      last = sizeClass.index
    }
    #expect(last == SizeClass.count - 1)
  }

  @Test("At most 12.5 % waste above 128 bytes")
  func waste() {
    for byteCount in UInt(129)...SizeClass.maximumByteCount {
      let block = SizeClass(fitting: byteCount).blockByteCount
      #expect((block - byteCount) * 8 <= byteCount, "\(byteCount) gets \(block)")
    }
  }

  @Test("A size rounded up to its alignment gets aligned blocks")
  func alignment() {
    for shift in UInt(4)...15 {
      let alignment = UInt(1) << shift
      for byteCount in stride(from: alignment, through: SizeClass.maximumByteCount, by: Int(alignment)) {
        #expect(SizeClass(fitting: byteCount).blockByteCount % alignment == 0, "\(byteCount) at \(alignment)")
      }
    }
  }
}
