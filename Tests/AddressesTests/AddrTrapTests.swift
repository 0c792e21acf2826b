import Addresses
import Foundation
import LabTestSupport
import Testing

/// Broken contracts. Each ends its own process with one line.
@Suite struct AddrTrapTests {
  @Test func aZeroAlignmentTraps() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = VirtAddr(4096).alignedUp(to: 0)
    }
    #expect(text(of: result) == "heaplab: an alignment must be a power of two, found: 0x0\n")
  }

  @Test func anAlignmentThatIsNoPowerOfTwoTraps() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = PhysAddr(4096).alignedDown(to: 24)
    }
    #expect(text(of: result) == "heaplab: an alignment must be a power of two, found: 0x18\n")
  }

  @Test func aTestAgainstSuchAnAlignmentTraps() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = PhysAddr(4096).isAligned(to: 3)
    }
    #expect(text(of: result) == "heaplab: an alignment must be a power of two, found: 0x3\n")
  }

  @Test func roundingUpPastTheLastAddressTraps() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = PhysAddr(.max).alignedUp(to: 4096)
    }
    let line = "heaplab: an address rounded up to its alignment must fit the address space: 0xffffffffffffffff\n"
    #expect(text(of: result) == line)
  }

  @Test func addingPastTheLastAddressTraps() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = PhysAddr(.max) + 1
    }
    let line = "heaplab: an address plus a byte count must fit the address space: 0xffffffffffffffff\n"
    #expect(text(of: result) == line)
  }

  @Test func subtractingBelowZeroTraps() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = VirtAddr(0x10) - 0x11
    }
    #expect(text(of: result) == "heaplab: an address minus a byte count must not be negative: 0x10\n")
  }

  @Test func aDistanceDownwardTraps() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = VirtAddr(0x10).byteCount(from: VirtAddr(0x20))
    }
    #expect(text(of: result) == "heaplab: a distance must run upward, from: 0x20\n")
  }
}
