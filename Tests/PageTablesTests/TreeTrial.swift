import Addresses
import LabTestSupport
import Testing

@testable import PageTables

/// A record with a number, which tells it from others over the same interval.
struct TestRecord: RegionRecord, Equatable {
  var lowest: VirtAddr
  var last: VirtAddr
  var number: UInt

  /// The record of some pages.
  init(_ first: UInt, _ pageCount: UInt, _ number: UInt = 0) {
    lowest = VirtAddr(first * 4096)
    last = VirtAddr((first + pageCount) * 4096 - 1)
    self.number = number
  }
}

extension RegionTree {
  /// The first broken invariant, nil when there is none.
  func offence() -> String? {
    var found = 0
    var nodes = 0
    let offence = offence(below: root, level: height, &found, &nodes)
    if found != count { return "counts \(count) records, has \(found)" }
    if nodes != frameCount { return "counts \(frameCount) frames, has \(nodes)" }
    if spares.count != 0 { return "keeps \(spares.count) spare frames" }
    return offence
  }

  private func offence(below frame: PhysAddr, level: Int, _ records: inout Int, _ nodes: inout Int) -> String? {
    nodes += 1
    if level == 0 {
      records += leaf(frame).count
      return nil
    }
    let node = inner(frame)
    if node.count == 0 || frame == root && node.count < 2 { return "an inner node has \(node.count) elements" }
    for index in 0..<node.count {
      let kept = node[index]
      if let offence = offence(below: kept.node, level: level - 1, &records, &nodes) { return offence }
      let right = summary(kept.node, level: level - 1)
      if kept.lowest != right.lowest || kept.last != right.last || kept.innerGapByteCount != right.innerGapByteCount {
        return "level \(level) says \(kept) of \(right)"
      }
    }
    return nil
  }
}

typealias TestTree = RegionTree<TestRecord, OffsetPhysMapper>

func emptyTree(_ frames: inout TestFrames) -> TestTree {
  guard let tree = TestTree(frames.mapper, &frames) else { fatalError("no frame for a tree") }
  return tree
}

/// A tree and its model, a sorted array.
struct TreeTrial: ~Copyable {
  var tree: TestTree
  var model: [TestRecord] = []
  var finding: String?

  init(_ frames: inout TestFrames) {
    tree = emptyTree(&frames)
  }

  mutating func step(
    _ number: UInt, grows: Bool, _ generator: inout SeededGenerator, _ frames: inout TestFrames
  ) {
    let choice = Int.random(in: 0..<100, using: &generator)
    let page = UInt.random(in: 1..<20_000, using: &generator)
    let address = VirtAddr(page * 4096)
    let index = model.partitioningIndex { $0.last >= address }
    if choice < (grows ? 70 : 15) {
      let record = TestRecord(page, UInt.random(in: 1...3, using: &generator), number)
      if index < model.count, model[index].lowest <= record.last { return }
      insert(record, at: index, failing: choice < 20, &frames)
    } else if choice < 85, index < model.count {
      // A removal needs no frame.
      frames.allocationsLeft = 0
      tree.remove(model.remove(at: index), &frames)
      frames.allocationsLeft = nil
    } else if index < model.count {
      var changed = model[index]
      changed.number = number
      if choice < 93, changed.last.raw - changed.lowest.raw > 4096 { changed.last = changed.last - 4096 }
      tree.replace(model[index], with: changed)
      model[index] = changed
    }
    if tree.first(reaching: address) != model.first(where: { $0.last >= address }) {
      finding = "finds another record at page \(page)"
    }
  }

  private mutating func insert(
    _ record: TestRecord, at index: Int, failing: Bool, _ frames: inout TestFrames
  ) {
    frames.allocationsLeft = failing ? 0 : nil
    let before = frames.usedCount
    if tree.insert(record, &frames) {
      model.insert(record, at: index)
    } else if !failing || frames.usedCount != before {
      finding = "refuses a record"
    }
    frames.allocationsLeft = nil
  }

  mutating func check(_ generator: inout SeededGenerator) {
    finding = finding ?? offence(tree, &generator)
  }

  /// What is wrong with the tree, or with a copy of it.
  private func offence(_ tree: borrowing TestTree, _ generator: inout SeededGenerator) -> String? {
    if let offence = tree.offence() { return offence }
    var found: [TestRecord] = []
    var next = tree.first
    while let record = next {
      found.append(record)
      next = tree.first(after: record)
    }
    if found != model { return "has other records than the model" }
    for _ in 0..<20 {
      let bounds = AddrRange(
        start: VirtAddr(UInt.random(in: 0..<1000, using: &generator) * 4096),
        end: VirtAddr(UInt.random(in: 1000...21_000, using: &generator) * 4096))
      let request = GapRequest(
        UInt.random(in: 1...40, using: &generator) * 4096,
        alignment: 4096 << UInt.random(in: 0...5, using: &generator),
        guardByteCount: UInt.random(in: 0...2, using: &generator) * 4096, in: bounds)
      if tree.lowestPlace(for: request) != lowestPlace(for: request) { return "finds another place for \(request)" }
    }
    return nil
  }

  /// The lowest place, by a walk over all records.
  private func lowestPlace(for request: GapRequest) -> VirtAddr? {
    var at = request.bounds.start.alignedUp(to: request.alignment)
    for record in model where record.last.raw + request.guardByteCount >= at.raw {
      if record.lowest.raw >= at.raw + request.byteCount + request.guardByteCount { break }
      at = (record.last + 1 + request.guardByteCount).alignedUp(to: request.alignment)
    }
    return at + request.byteCount <= request.bounds.end ? at : nil
  }

  /// Checks a copy, and frees it and the tree.
  consuming func end(_ generator: inout SeededGenerator, _ frames: inout TestFrames) {
    if let copy = tree.copy(&frames) {
      let offence = offence(copy, &generator)
      #expect(offence == nil, "the copy")
      copy.deallocate(&frames)
    } else {
      Issue.record("no copy")
    }
    tree.deallocate(&frames)
  }
}

extension Array {
  /// The index of the first element of which `isAbove` holds, which it does for all after it.
  fileprivate func partitioningIndex(_ isAbove: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if isAbove(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
