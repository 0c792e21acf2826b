import Addresses
import Testing

/// An address space of 256 bytes, small enough to try everything.
struct TinyAddr: Addr {
  let raw: UInt8

  init(_ raw: UInt8) {
    self.raw = raw
  }
}

@Suite struct AddrTests {
  private let all = (UInt8.min...UInt8.max).map { TinyAddr($0) }
  private let alignments: [UInt8] = [1, 2, 4, 8, 16, 32, 64, 128]

  @Test func nullIsAddressZero() {
    #expect(VirtAddr.null.raw == 0 && VirtAddr.null.isNull)
    #expect(PhysAddr.null == PhysAddr(0))
    #expect(!PhysAddr(1).isNull)
  }

  @Test func addressesAreOrderedByNumber() {
    #expect(PhysAddr(1) < PhysAddr(2))
    #expect(PhysAddr(.max) > PhysAddr(.max - 1))
    #expect(Set([VirtAddr(1), VirtAddr(1), VirtAddr(2)]).count == 2)
  }

  @Test func alignmentAgreesWithDivisionEverywhere() {
    for alignment in alignments {
      for address in all {
        let wide = Int(address.raw)
        let step = Int(alignment)
        #expect(Int(address.alignedDown(to: alignment).raw) == wide / step * step)
        let up = (wide + step - 1) / step * step
        #expect(address.checkedAlignedUp(to: alignment).map { Int($0.raw) } == (up < 256 ? up : nil))
        #expect(address.isAligned(to: alignment) == (wide % step == 0))
        if up < 256 { #expect(Int(address.alignedUp(to: alignment).raw) == up) }
      }
    }
  }

  @Test func sumsAndDifferencesAreCheckedEverywhere() {
    for address in all {
      for byteCount in UInt8.min...UInt8.max {
        let sum = Int(address.raw) + Int(byteCount)
        let difference = Int(address.raw) - Int(byteCount)
        // One expectation per pair would take seconds.
        if address.checkedAdd(byteCount).map({ Int($0.raw) }) != (sum < 256 ? sum : nil) {
          Issue.record("\(address.raw) + \(byteCount)")
        }
        if address.checkedSubtract(byteCount).map({ Int($0.raw) }) != (difference >= 0 ? difference : nil) {
          Issue.record("\(address.raw) - \(byteCount)")
        }
      }
    }
  }

  @Test func theLastAddressHasNeighboursOnOneSideOnly() {
    #expect(PhysAddr(.max).checkedAdd(1) == nil)
    #expect(PhysAddr(.max).checkedAdd(0) == PhysAddr(.max))
    #expect(PhysAddr.null.checkedSubtract(1) == nil)
    #expect(VirtAddr(.max) - 1 + 1 == VirtAddr(.max))
    #expect(VirtAddr(.max).checkedAlignedUp(to: 4096) == nil)
    #expect(VirtAddr(.max).alignedDown(to: 1 << 63) == VirtAddr(1 << 63))
    #expect(PhysAddr(0x3000).byteCount(from: PhysAddr(0x1000)) == 0x2000)
    #expect(PhysAddr(7).byteCount(from: PhysAddr(7)) == 0)
  }

  @Test func addressesReadAsHexadecimal() {
    #expect("\(PhysAddr(0xFE_D000))" == "0xfed000")
    #expect("\(VirtAddr.null)" == "0x0")
  }

  @Test func anAddressAndItsPointerConvertBothWays() {
    var value: UInt8 = 42
    unsafe withUnsafeMutablePointer(to: &value) { pointer in
      let address = unsafe VirtAddr(UnsafeRawPointer(pointer))
      #expect(unsafe address.pointer == UnsafeMutableRawPointer(pointer))
      #expect(unsafe address.unsafePointer.load(as: UInt8.self) == 42)
    }
    let none: UnsafeRawPointer? = nil
    #expect(unsafe VirtAddr(none) == .null)
    #expect(unsafe VirtAddr.null.pointer == nil)
  }
}
