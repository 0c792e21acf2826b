import Addresses

/// What a buddy allocator is held against: a set of free frames, and blocks in use, with nothing clever.
struct FrameModel {
  let first: UInt64
  private(set) var isFree: [Bool]
  private(set) var blocks: [PhysAddr: FrameOrder] = [:]

  init(frames count: UInt64, from first: UInt64) {
    self.first = first
    isFree = Array(repeating: true, count: Int(count))
  }

  var freeCount: UInt64 { UInt64(isFree.count { $0 }) }

  /// The lowest aligned free run of an order.
  func lowestRun(_ order: FrameOrder) -> PhysAddr? {
    let size = order.frameCount
    var frame = (first + size - 1) / size * size
    while frame + size <= first + UInt64(isFree.count) {
      if isWhollyFree(frame, size) { return PhysAddr(frame << 12) }
      frame += size
    }
    return nil
  }

  func isWhollyFree(_ frame: UInt64, _ count: UInt64) -> Bool {
    frame >= first && frame + count <= first + UInt64(isFree.count)
      && isFree[Int(frame - first)..<Int(frame - first + count)].allSatisfy { $0 }
  }

  mutating func allocate(_ order: FrameOrder, at address: PhysAddr) {
    for frame in address.raw >> 12..<address.raw >> 12 + order.frameCount { isFree[Int(frame - first)] = false }
    blocks[address] = order
  }

  mutating func deallocate(_ address: PhysAddr) {
    guard let order = blocks.removeValue(forKey: address) else { fatalError("the model holds no block at \(address)") }
    for frame in address.raw >> 12..<address.raw >> 12 + order.frameCount { isFree[Int(frame - first)] = true }
  }

  /// The number of largest aligned free runs of each order.
  var freeBlocks: [UInt64] {
    var counts = Array(repeating: UInt64(0), count: FrameOrder.count)
    var frame = first
    while frame < first + UInt64(isFree.count) {
      guard isWhollyFree(frame, 1) else {
        frame += 1
        continue
      }
      var order = 0
      while order < 18, frame % (2 << UInt64(order)) == 0, isWhollyFree(frame, 2 << UInt64(order)) { order += 1 }
      counts[order] += 1
      frame += 1 << UInt64(order)
    }
    return counts
  }
}
