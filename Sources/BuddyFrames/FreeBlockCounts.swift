public import Addresses

/// How many free blocks of each order there are: a column per order, as in `/proc/buddyinfo`.
///
/// Every free frame belongs to exactly one block, the largest that its neighbours allow.
public struct FreeBlockCounts: Sendable {
  private var counts = InlineArray<19, UInt64>(repeating: 0)

  /// No free block of any order.
  public init() {}

  /// The number of free blocks of an order.
  public subscript(order: FrameOrder) -> UInt64 {
    get { counts[Int(order.rawValue)] }
    set { counts[Int(order.rawValue)] = newValue }
  }

  /// How many free blocks there are, of all orders together.
  public var blockCount: UInt64 {
    var sum: UInt64 = 0
    for index in counts.indices { sum += counts[index] }
    return sum
  }

  /// How many free frames there are.
  public var frameCount: UInt64 { frameCount(atLeast: .min) }

  /// How many free frames are in blocks of `order` or larger.
  public func frameCount(atLeast order: FrameOrder) -> UInt64 {
    var sum: UInt64 = 0
    for index in Int(order.rawValue)..<FrameOrder.count { sum += counts[index] << UInt64(index) }
    return sum
  }

  /// The largest order with a free block, or nil when nothing is free.
  public var largestOrder: FrameOrder? {
    var largest: FrameOrder? = nil
    for index in counts.indices where counts[index] > 0 { largest = FrameOrder(UInt8(index)) }
    return largest
  }
}

extension FreeBlockCounts: Equatable {
  public static func == (left: FreeBlockCounts, right: FreeBlockCounts) -> Bool {
    for index in left.counts.indices where left.counts[index] != right.counts[index] { return false }
    return true
  }
}
