import Addresses
import Foundation
import LabTestSupport
import Testing

@Suite struct FrameOrderTests {
  @Test func anOrderIsAPowerOfTwo() {
    #expect(FrameOrder.min == FrameOrder(0) && FrameOrder.max == FrameOrder(18) && FrameOrder.count == 19)
    for raw in 0...18 as ClosedRange<UInt8> {
      let order = FrameOrder(raw)
      #expect(order.frameCount == 1 << UInt64(raw))
      #expect(order.byteCount == order.frameCount * 4096)
      #expect("\(order)" == "order \(raw)")
      if raw > 0 { #expect(FrameOrder(raw - 1) < order) }
    }
  }

  @Test func theFittingOrderIsTheSmallest() {
    #expect(FrameOrder(fitting: 0) == nil)
    #expect(FrameOrder(fitting: FrameOrder.max.frameCount + 1) == nil)
    #expect(FrameOrder(fitting: .max) == nil)
    for raw in 0...18 as ClosedRange<UInt8> {
      let order = FrameOrder(raw)
      #expect(FrameOrder(fitting: order.frameCount) == order)
      if raw > 1 { #expect(FrameOrder(fitting: order.frameCount / 2 + 1) == order) }
      if raw < 18 { #expect(FrameOrder(fitting: order.frameCount + 1) == FrameOrder(raw + 1)) }
    }
  }

  @Test func anOrderPastTheLastTraps() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = FrameOrder(19)
    }
    #expect(text(of: result) == "heaplab: a frame order must be 0 to 18, found: 0x13\n")
  }
}
