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

  @Test("Blocks above 1 KiB have a magazine, up to it none")
  func magazines() {
    for index in 0..<SizeClass.count {
      let sizeClass = SizeClass(index: index)
      #expect(sizeClass.hasMagazine == (sizeClass.blockByteCount > 1 << 10), "\(sizeClass.blockByteCount) bytes")
    }
    #expect(SizeClass(index: SizeClass.firstWithMagazine).blockByteCount == (1 << 10) + (1 << 7))
  }

  @Test("There is one element for each class")
  func counts() {
    #expect(BySizeClass<UInt8>.count == SizeClass.count)
    #expect(SizeClass.count <= Int(UInt8.max))
  }

  @Test("The hot path's two ways to a class agree with the table of blocks")
  func steps() {
    for byteCount in UInt(0)...SizeClass.stepMaximumByteCount {
      #expect(SizeClass(fitting: byteCount).blockByteCount == max(16, (byteCount + 15) / 16 * 16))
    }
    #expect(SizeClass(aboveSteps: SizeClass.stepMaximumByteCount + 1).blockByteCount == 288)
  }
}
