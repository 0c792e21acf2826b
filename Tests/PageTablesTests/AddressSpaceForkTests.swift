import Addresses
import LabTestSupport
import PageTables
import Testing

@Suite struct AddressSpaceForkTests {
  typealias Process = TestProcess<X86FourLevel>

  @Test func aWriteCopiesAndTheLastOwnerWritesInPlace() throws {
    var frames = TestFrames()
    var parent = try Process(&frames)
    let page = try parent.space.addRegion(byteCount: 4096, .userData, &frames).start
    try parent.write(1, at: page, &frames)
    let original = try parent.space.table.translate(page).frame
    var child = try parent.fork(&frames)
    #expect(frames.referenceCount(of: original) == 2)
    #expect(try child.read(page, &frames) == 1)
    #expect(child.space.statistics.faultCount == 0)
    try child.write(2, at: page, &frames)
    #expect(child.space.statistics.copyCount == 1)
    #expect(try parent.read(page, &frames) == 1)
    #expect(frames.referenceCount(of: original) == 1)
    try parent.write(3, at: page, &frames)
    #expect(parent.space.statistics.madeWritableCount == 1 && parent.space.statistics.copyCount == 0)
    #expect(try parent.space.table.translate(page).frame == original)
    #expect(try child.read(page, &frames) == 2)
    parent.exit(&frames)
    child.exit(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test(arguments: [LargePagePolicy.never, .always, .dynamic])
  func aForkThatRunsOutOfFramesLeavesNoTrace(policy: LargePagePolicy) throws {
    var frames = TestFrames()
    var parent = try Process(policy: policy, &frames)
    let low = try parent.space.addRegion(byteCount: 3 << 20, .userData, alignment: 2 << 20, &frames)
    let high = AddrRange(start: VirtAddr(0x3F_FFE0_0000), end: Process.heap.end)
    try parent.space.addRegion(high, .userData, &frames)
    for offset in stride(from: UInt(0), to: low.byteCount, by: 256 << 10) {
      try parent.write(UInt64(offset), at: low.start + offset, &frames)
    }
    try parent.write(1, at: high.start, &frames)
    let before = frames.snapshot()
    for allowed in 0..<64 {
      frames.allocationsLeft = allowed
      do {
        var child = try parent.fork(&frames)
        frames.allocationsLeft = nil
        #expect(allowed > 4)
        #expect(try child.read(low.start + (1 << 20), &frames) == 1 << 20)
        child.exit(&frames)
        break
      } catch {
        #expect(error as? AddressSpaceError == .outOfFrames)
        #expect(frames.snapshot() == before, "with \(allowed) frames")
      }
    }
    parent.exit(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func permissionsAreEachProcesssOwn() throws {
    var frames = TestFrames()
    var parent = try Process(&frames)
    let range = try parent.space.addRegion(byteCount: 8192, .userData, &frames)
    try parent.write(1, at: range.start, &frames)
    var child = try parent.fork(&frames)
    try child.space.protect(range, .userReadOnly, &frames, &child.tlb)
    #expect(throws: FaultRefusal.notPermitted(range.start, .userReadOnly)) {
      try child.write(2, at: range.start, &frames)
    }
    try parent.write(2, at: range.start, &frames)
    // Restoring write permission does not let the child write into the parent's page.
    try child.space.protect(range, .userData, &frames, &child.tlb)
    #expect(try child.read(range.start, &frames) == 1)
    try child.write(3, at: range.start, &frames)
    #expect(try parent.read(range.start, &frames) == 2)
    parent.exit(&frames)
    child.exit(&frames)
    #expect(frames.usedCount == 0)
  }

  /// A family of processes that read, write, unmap, protect, fork and exit, with a dictionary of what each should see.
  @Test(arguments: 1...3, [LargePagePolicy.never, .always, .dynamic])
  func families(seed: UInt64, policy: LargePagePolicy) throws { try run(X86FourLevel.self, seed, policy) }

  @Test func familiesOnOtherProcessors() throws {
    try run(Sv39.self, 4, .dynamic)
    try run(AArch64Lower.self, 5, .dynamic)
    try run(X86FiveLevel.self, 6, .dynamic)
  }

  func run<Format: PageTableFormat>(_ format: Format.Type, _ seed: UInt64, _ policy: LargePagePolicy) throws {
    var generator = SeededGenerator(seed: seed)
    var frames = TestFrames(byteCount: 32 << 20)
    let region = AddrRange(start: VirtAddr(0x20_0000), byteCount: 4 << 20)
    var family = try FamilyOfTwo<Format>(policy, region, &frames)
    for step in 0..<1500 {
      let address = region.start + UInt.random(in: 0..<1024, using: &generator) * 4096
      let value = generator.next()
      let choice = Int.random(in: 0..<100, using: &generator)
      try family.step(choice, address, value, &frames)
      if step % 16 == 0 { family.observe() }
      if let finding = family.finding {
        Issue.record("seed \(seed), step \(step): \(finding)")
        return
      }
    }
    family.end(&frames)
    #expect(frames.usedCount == 0, "seed \(seed)")
  }
}

/// A parent, and at times a child, with the values that each should read.
struct FamilyOfTwo<Format: PageTableFormat>: ~Copyable {
  let region: AddrRange<VirtAddr>
  var parent: TestProcess<Format>
  var child: TestProcess<Format>?
  /// What the processors that run either of them have cached.
  var parentCaches: ProcessorCaches<Format>
  var childCaches: ProcessorCaches<Format>?
  var parentWords: [VirtAddr: UInt64] = [:]
  var childWords: [VirtAddr: UInt64] = [:]
  /// The first error, if any.
  var finding: String?

  init(_ policy: LargePagePolicy, _ region: AddrRange<VirtAddr>, _ frames: inout TestFrames) throws {
    var parent = try TestProcess<Format>(policy: policy, &frames)
    do {
      try parent.space.addRegion(region, .userData, &frames)
    } catch {
      parent.exit(&frames)
      throw error
    }
    self.region = region
    parentCaches = parent.attachCaches(&frames)
    self.parent = parent
    child = nil
  }

  /// Looks at the tables once more, and for offences of the address spaces.
  mutating func observe() {
    for caches in [parentCaches, childCaches] {
      caches?.observe()
      if let offence = caches?.findings.first { finding = finding ?? offence }
    }
    parentCaches.checkMarks(parent.space.table)
  }

  mutating func step(_ choice: Int, _ address: VirtAddr, _ value: UInt64, _ frames: inout TestFrames) throws {
    let usesChild = value & 1 == 0 && child != nil
    switch choice {
    case 0..<50:
      if usesChild {
        try child?.write(value, at: address, &frames)
        childWords[address] = value
      } else {
        try parent.write(value, at: address, &frames)
        parentWords[address] = value
      }
    case 50..<94:
      let found = usesChild ? try child?.read(address, &frames) : try parent.read(address, &frames)
      let expected = (usesChild ? childWords : parentWords)[address] ?? 0
      if let found, found != expected { finding = "\(address) reads \(found), expected \(expected)" }
    case 94..<97:
      // Memory that was unmapped and added again is zeros.
      let range = AddrRange(start: address, end: min(region.end, address + 64 * 4096))
      if usesChild {
        try child?.renew(range, &frames)
        childWords = childWords.filter { !range.contains($0.key) }
      } else {
        try parent.renew(range, &frames)
        parentWords = parentWords.filter { !range.contains($0.key) }
      }
    default:
      observe()
      if let ended = child.take() {
        frames.watchers = [parentCaches]
        childCaches = nil
        ended.exit(&frames)
      } else {
        var forked = try parent.fork(&frames)
        childCaches = forked.attachCaches(&frames)
        child = .some(consume forked)
        childWords = parentWords
      }
    }
  }

  consuming func end(_ frames: inout TestFrames) {
    frames.watchers = []
    if let child = child.take() { child.exit(&frames) }
    parent.exit(&frames)
  }
}
