import Addresses
import BuddyFrames
import Glibc
import LabTestSupport
import PageTables
import Testing

// Copy on write, driven from below: the judge stores, `handleFault` resolves its page fault, and the judge stores
// again, like a processor and its kernel. Frames come from the buddy allocator over the machine's memory.

/// A machine with memory, frames and one judge.
struct FaultingMachine: ~Copyable {
  typealias Space = AddressSpace<X86FourLevel, OffsetPhysMapper>

  let memory: PhysicalMemory
  let judge: any Judge
  var frames: BuddyFrames
  var tlb = CountingTLB()
  private let frameTable: UnsafeMutableRawPointer

  init(memory: PhysicalMemory, judge: any Judge) {
    self.memory = memory
    self.judge = judge
    let byteCount = BuddyFrames.tableByteCount(for: memory.range)
    frameTable = UnsafeMutableRawPointer.allocate(byteCount: Int(byteCount), alignment: 4096)
    frameTable.initializeMemory(as: UInt8.self, repeating: 0, count: Int(byteCount))
    frames = BuddyFrames(
      over: memory.range, tableIn: AddrRange(start: VirtAddr(frameTable), byteCount: byteCount), holding: .zeros)
  }

  deinit { frameTable.deallocate() }

  /// The mapper to the machine's memory in this process.
  var mapper: OffsetPhysMapper { OffsetPhysMapper(memory.range, at: VirtAddr(memory.base)) }

  /// Makes an access in user mode and resolves its faults; returns its verdict and the resolutions.
  mutating func access(_ probe: Probe, in space: inout Space) throws -> (Verdict, [FaultResolution]) {
    var resolutions: [FaultResolution] = []
    while true {
      let root = ProbedRoot(address: space.table.root.raw)
      let verdict = try judge.judge([probe], under: root)[0]
      guard case .pageFault(let code, let address) = verdict, resolutions.count < 3 else {
        return (verdict, resolutions)
      }
      #expect(address == probe.address && code.contains(.write) == (probe.access == .write), "\(probe): \(verdict)")
      let access: MemoryAccess = code.contains(.write) ? .write : code.contains(.fetch) ? .execute : .read
      resolutions.append(
        try space.handleFault(
          VirtAddr(UInt(address)), access, fromUser: code.contains(.user), &frames, &tlb))
    }
  }

  /// Stores a word in user mode; returns the resolutions of the faults on the way.
  mutating func store(_ word: UInt64, at address: UInt64, in space: inout Space) throws -> [FaultResolution] {
    let probe = Probe(address: address, access: .write, mode: .user, word: word)
    let (verdict, resolutions) = try access(probe, in: &space)
    #expect(verdict == .done(0), "\(judge.name): \(probe) ended as \(verdict) after \(resolutions)")
    return resolutions
  }

  /// Expects user mode to read a word.
  mutating func expect(_ word: UInt64, at address: UInt64, in space: inout Space, _ context: String) throws {
    let (verdict, _) = try access(Probe(address: address, access: .read, mode: .user), in: &space)
    #expect(verdict == .done(word), "\(judge.name), \(context): 0x\(String(address, radix: 16))")
  }
}

@Suite(.serialized) struct CopyOnWriteTests {
  private static let managed = AddrRange(start: VirtAddr(0x10000), end: VirtAddr(0x7000_0000_0000))

  /// Runs a test once per judge.
  private func withMachines(_ body: (inout FaultingMachine) throws -> Void) throws {
    let memory = PhysicalMemory(start: PhysAddr(4 << 30), byteCount: 32 << 20)
    for judge in Bench(over: memory).judges {
      memory.clear()
      var machine = FaultingMachine(memory: memory, judge: judge)
      try body(&machine)
      #expect(machine.frames.freeFrameCount == memory.range.byteCount >> 12, "\(judge.name): every frame comes back")
    }
  }

  @Test func theFirstWriterCopiesAndTheLastWritesInPlace() throws {
    try withMachines { machine in
      var parent = try FaultingMachine.Space(
        managing: CopyOnWriteTests.managed, mapper: machine.mapper, policy: .never, &machine.frames)
      let page = try parent.addRegion(byteCount: 4096, .userData, &machine.frames).start
      let address = UInt64(page.raw) + 8
      #expect(try machine.store(1, at: address, in: &parent) == [.filled(.size4KiB)])
      let frame = try parent.table.translate(page).frame
      var child = try parent.fork(&machine.frames, &machine.tlb)
      try machine.expect(1, at: address, in: &parent, "parent before writing")
      try machine.expect(1, at: address, in: &child, "child before writing")
      #expect(machine.frames.referenceCount(of: frame) == 2)

      #expect(try machine.store(2, at: address, in: &child) == [.copied])
      try machine.expect(1, at: address, in: &parent, "parent after the child wrote")
      try machine.expect(2, at: address, in: &child, "child after it wrote")
      #expect(machine.frames.referenceCount(of: frame) == 1)

      #expect(try machine.store(3, at: address, in: &parent) == [.madeWritable])
      #expect(try parent.table.translate(page).frame == frame, "the last holder writes in place")
      #expect(try machine.store(4, at: address, in: &parent) == [], "and faults no more")
      try machine.expect(4, at: address, in: &parent, "parent at the end")
      try machine.expect(2, at: address, in: &child, "child at the end")
      child.deallocate(&machine.frames)
      parent.deallocate(&machine.frames)
    }
  }

  @Test(arguments: UInt64(1)...6)
  func parentAndChildDiverge(seed: UInt64) throws {
    try withMachines { machine in
      var random = SeededGenerator(seed: seed)
      var parent = try FaultingMachine.Space(
        managing: CopyOnWriteTests.managed, mapper: machine.mapper, &machine.frames)
      let pageCount: UInt64 = 24
      let start = UInt64(try parent.addRegion(byteCount: UInt(pageCount) * 4096, .userData, &machine.frames).start.raw)
      var parentWords: [UInt64: UInt64] = [:]
      for _ in 0..<30 {
        let address = start + UInt64.random(in: 0..<pageCount * 512, using: &random) * 8
        parentWords[address] = random.next()
        _ = try machine.store(parentWords[address] ?? 0, at: address, in: &parent)
      }
      var child = try parent.fork(&machine.frames, &machine.tlb)
      var childWords = parentWords
      for _ in 0..<60 {
        let address =
          Bool.random(using: &random)
          ? parentWords.keys.sorted().randomElement(using: &random) ?? start
          : start + UInt64.random(in: 0..<pageCount * 512, using: &random) * 8
        let word = random.next()
        if Bool.random(using: &random) {
          parentWords[address] = word
          _ = try machine.store(word, at: address, in: &parent)
        } else {
          childWords[address] = word
          _ = try machine.store(word, at: address, in: &child)
        }
      }
      for address in Set(parentWords.keys).union(childWords.keys).sorted() {
        try machine.expect(parentWords[address] ?? 0, at: address, in: &parent, "seed \(seed), parent")
        try machine.expect(childWords[address] ?? 0, at: address, in: &child, "seed \(seed), child")
      }
      parent.deallocate(&machine.frames)
      try machine.expect(childWords[start] ?? 0, at: start, in: &child, "seed \(seed), child without its parent")
      child.deallocate(&machine.frames)
    }
  }

  @Test func whatARegionForbidsStaysForbidden() throws {
    try withMachines { machine in
      var space = try FaultingMachine.Space(
        managing: CopyOnWriteTests.managed, mapper: machine.mapper, policy: .never, &machine.frames)
      let range = try space.addRegion(byteCount: 4096, .userReadOnly, &machine.frames)
      let address = UInt64(range.start.raw)
      try machine.expect(0, at: address, in: &space, "a first touch")
      #expect(throws: FaultRefusal.notPermitted(range.start, .userReadOnly)) {
        try machine.store(1, at: address, in: &space)
      }
      #expect(throws: FaultRefusal.noRegion(range.end)) {
        try machine.store(1, at: UInt64(range.end.raw), in: &space)
      }
      space.deallocate(&machine.frames)
    }
  }
}
