import Assertions
import Testing

// BEGIN
/// A share in percent.
struct Percentage {
  let value: UInt

  init(_ value: UInt) {
    require(value <= 100, "a percentage must be at most 100, found", UInt64(value))
    self.value = value
  }
}
// END

@Suite struct AssertionsExample {
  @Test func aContract() async {
    #expect(Percentage(100).value == 100)
    let result = await #expect(processExitsWith: .signal(6), observing: [\.standardErrorContent]) {
      _ = Percentage(101)
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("heaplab: a percentage must be at most 100, found: 0x65"))
  }
}
