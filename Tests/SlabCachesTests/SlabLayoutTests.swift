import Addresses
import SlabCaches
import Testing

@testable import SlabCaches

@Suite struct SlabLayoutTests {
  /// Sizes around every power of two, between them, and the smallest.
  private static let sizes: [UInt] = {
    var sizes: [UInt] = [1, 2, 40, 16384]
    for shift in 3..<14 {
      let power = UInt(1) << UInt(shift)
      sizes += [power - 1, power, power + 1, power + power / 2]
    }
    return sizes
  }()

  @Test(arguments: [false, true])
  func wastesAtMostAnEighth(hasHeldBits: Bool) {
    for size in Self.sizes {
      let layout = SlabLayout(byteCount: size, alignment: 8, hasHeldBits: hasHeldBits)
      let used = layout.objectCount * layout.objectByteCount
      #expect(layout.slabByteCount - used <= layout.slabByteCount / 8, "size \(size)")
      #expect(layout.order <= SlabLayout.orderMaximum)
      #expect(layout.objectByteCount >= size && layout.objectByteCount < size + 8)
    }
  }

  /// With every alignment, the header and all objects are inside the slab and apart, in every colour.
  @Test(arguments: [false, true])
  func headerAndObjectsFitInEveryColour(hasHeldBits: Bool) {
    for size in Self.sizes {
      for alignment in (0...12).map({ UInt(1) << $0 }) {
        let layout = SlabLayout(byteCount: size, alignment: alignment, hasHeldBits: hasHeldBits)
        let bitByteCount = layout.wordCount * 8 * (hasHeldBits ? 2 : 1)
        #expect(layout.headerByteCount >= UInt(MemoryLayout<SlabHeader>.size) + bitByteCount)
        #expect(layout.wordCount * 64 >= layout.objectCount)
        #expect(layout.objectCount > 0)
        #expect(layout.objectByteCount % alignment == 0)
        let firsts = (0..<layout.colourCount).map {
          layout.firstOffset(ofSlabAt: PhysAddr(UInt64($0) << (12 + UInt64(layout.order.rawValue))))
        }
        #expect(Set(firsts).count == firsts.count && firsts[0] == layout.headerByteCount)
        #expect(firsts.allSatisfy { $0 % alignment == 0 })
        #expect(firsts.max().map { $0 + layout.objectCount * layout.objectByteCount <= layout.slabByteCount } == true)
      }
    }
  }

  @Test func neighboursHaveOtherColours() {
    let layout = SlabLayout(byteCount: 400, alignment: 8, hasHeldBits: false)
    #expect(layout.colourCount == 1 + (4096 - layout.headerByteCount - 10 * 400) / 64)
    let wide = SlabLayout(byteCount: 1300, alignment: 8, hasHeldBits: false)
    #expect(wide.colourCount > 2)
    #expect(wide.firstOffset(ofSlabAt: PhysAddr(0x10000)) != wide.firstOffset(ofSlabAt: PhysAddr(0x11000)))
  }

  @Test func eightMagazinesFillAFrame() {
    let layout = SlabLayout(byteCount: Magazine.byteCount(capacity: 62), alignment: 1, hasHeldBits: false)
    #expect(layout.order == .min)
    #expect(layout.objectCount == 8)
  }
}
