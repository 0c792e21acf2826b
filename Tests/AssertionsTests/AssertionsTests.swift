import Assertions
import Foundation
import LabTestSupport
import Testing

@Suite struct AssertionsTests {
  @Test func aKeptContractDoesNothing() {
    var evaluationCount = 0
    func value() -> UInt64 {
      evaluationCount += 1
      return 1
    }
    require(true, "never seen")
    require(true, "never seen", value())
    // The value is evaluated only when the contract is broken.
    #expect(evaluationCount == 0)
  }

  @Test func aBrokenContractEndsTheProcessWithOneLine() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      require(1 + 1 == 3, "one and one must be three")
    }
    #expect(text(of: result) == "heaplab: one and one must be three\n")
  }

  @Test func aBrokenContractShowsItsValue() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      require(false, "an address must be even, found", 0xDEAD_BEEF)
    }
    #expect(text(of: result) == "heaplab: an address must be even, found: 0xdeadbeef\n")
  }

  @Test func zeroIsShownAsOneDigit() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      fail("a value", 0)
    }
    #expect(text(of: result) == "heaplab: a value: 0x0\n")
  }

  @Test func theLargestValueIsShownWhole() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      fail("a value", .max)
    }
    #expect(text(of: result) == "heaplab: a value: 0xffffffffffffffff\n")
  }

  @Test func inTheMiddleOfAWordNoDigitIsLost() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      fail("a value", 0x1_0020_3000)
    }
    #expect(text(of: result) == "heaplab: a value: 0x100203000\n")
  }

  @Test func failEndsTheProcessWithoutAValue() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      fail("nothing to add")
    }
    #expect(text(of: result) == "heaplab: nothing to add\n")
  }

  @Test func aMessageThatIsTooLongIsCutAndStillEndsItsLine() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      fail(
        """
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789
        """, 5)
    }
    let line = text(of: result)
    #expect(line.utf8.count == TextLine.byteMaximum)
    #expect(line.hasPrefix("heaplab: 0123456789"))
    #expect(line.hasSuffix("\n"))
  }
}
