import Addresses

/// The plain model of a buddy allocator: a set of free frames, and the blocks in use.
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
    if order == .min { return isFree.firstIndex(of: true).map { PhysAddr((first + UInt64($0)) << 12) } }
    let size = order.frameCount
    var frame = (first + size - 1) / size * size
    while frame + size <= first + UInt64(isFree.count) {
      if isWhollyFree(frame, size) { return PhysAddr(frame << 12) }
      frame += size
    }
    return nil
  }

  func isWhollyFree(_ frame: UInt64, _ count: UInt64) -> Bool {
    guard frame >= first, frame + count <= first + UInt64(isFree.count) else { return false }
    var index = Int(frame - first)
    let end = index + Int(count)
    while index < end, isFree[index] { index += 1 }
    return index == end
  }

  mutating func allocate(_ order: FrameOrder, at address: PhysAddr) {
    set(address, order.frameCount, free: false)
    blocks[address] = order
  }

  /// Allocates the blocks that make up a run of any length.
  mutating func allocate(frames count: UInt64, at address: PhysAddr) {
    var frame = address.raw >> 12
    let end = frame + count
    while frame < end {
      var order: UInt8 = 0
      while order < 18, frame % (2 << UInt64(order)) == 0, frame + (2 << UInt64(order)) <= end { order += 1 }
      allocate(FrameOrder(order), at: PhysAddr(frame << 12))
      frame += 1 << UInt64(order)
    }
  }

  mutating func deallocate(_ address: PhysAddr) {
    guard let order = blocks.removeValue(forKey: address) else { fatalError("the model holds no block at \(address)") }
    set(address, order.frameCount, free: true)
  }

  /// Replaces a block by blocks of a smaller order, or such blocks by one.
  mutating func replace(_ address: PhysAddr, _ old: FrameOrder, with new: FrameOrder) {
    for part in stride(from: address.raw, to: address.raw + max(old, new).byteCount, by: Int(old.byteCount)) {
      blocks[PhysAddr(part)] = nil
    }
    for part in stride(from: address.raw, to: address.raw + max(old, new).byteCount, by: Int(new.byteCount)) {
      blocks[PhysAddr(part)] = new
    }
  }

  private mutating func set(_ address: PhysAddr, _ count: UInt64, free: Bool) {
    for frame in address.raw >> 12..<address.raw >> 12 + count { isFree[Int(frame - first)] = free }
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
