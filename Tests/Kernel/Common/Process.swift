import Addresses
import BuddyFrames
import Machine
import PageTables
import Synchronization

/// A process: an address space, and the processors that run in it.
final class Process {
  private var space: Space?
  private let runningOn = Atomic<UInt>(0)

  static let code = AddrRange(start: VirtAddr(0x40_0000), byteCount: 4096)
  static let stack = AddrRange(start: VirtAddr(0x7000_0000), byteCount: 4 << 20)

  /// A process with the user programs, a stack, and nothing else.
  init(policy: LargePagePolicy = .dynamic) throws(AddressSpaceError) {
    space = try withMemory { memory throws(AddressSpaceError) in try memory.makeSpace(policy: policy) }
    try change { space, frames, _ throws(AddressSpaceError) in
      try space.addRegion(Process.code, .userData, for: .code, &frames)
      try space.addStack(Process.stack, .userData, &frames)
    }
    activate()
    let programs = VirtAddr(UInt(user_programs_address()))
    let byteCount = Int(user_programs_byte_count())
    Process.code.start.unsafePointer.copyMemory(from: programs.unsafePointer, byteCount: byteCount)
    cpu_synchronize_instructions()
    try change { space, frames, tlb throws(AddressSpaceError) in
      try space.protect(Process.code, .userCode, &frames, &tlb)
    }
    deactivate()
  }

  private init(_ space: consuming Space) { self.space = consume space }

  /// Runs `body` on the address space, the machine's frames, and what invalidates on the processors that run here.
  func change<Result: ~Copyable, Failure: Error>(
    _ body: (inout Space, inout FrameZones, inout Invalidator) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withMemory { memory throws(Failure) in
      // A processor that comes later begins with an empty TLB. Pairs with `activate`.
      var tlb = Invalidator(processors: runningOn.load(ordering: .acquiring))
      guard let result = try space?.run({ space throws(Failure) in try body(&space, &memory.frames, &tlb) }) else {
        stop("a process is used after its end")
      }
      return result
    }
  }

  /// A copy that shares all pages until either writes.
  func fork() throws(AddressSpaceError) -> Process {
    Process(try change { space, frames, tlb throws(AddressSpaceError) in try space.fork(&frames, &tlb) })
  }

  /// A region of user data at the lowest free place.
  func addRegion(byteCount: UInt, alignment: UInt = 4096) throws(AddressSpaceError) -> AddrRange<VirtAddr> {
    try change { space, frames, _ throws(AddressSpaceError) in
      try space.addRegion(byteCount: byteCount, .userData, alignment: alignment, guardByteCount: 4096, &frames)
    }
  }

  /// Resolves a page fault; false when the access is refused.
  func resolve(_ fault: PageFault) -> Bool {
    do throws(FaultRefusal) {
      _ = try change { space, frames, tlb throws(FaultRefusal) in try space.handleFault(fault, &frames, &tlb) }
      return true
    } catch {
      return false
    }
  }

  var statistics: AddressSpaceStatistics { change { space, _, _ in space.statistics } }

  /// Frees all that the process has. No processor may run in it.
  func end() {
    withMemory { memory in
      if offence == .lostFrame { _ = memory.frames.allocate(.size4KiB) }
      space.take()?.deallocate(&memory.frames)
    }
  }

  // MARK: Running

  /// Loads the address space on this processor.
  func activate() {
    runningOn.bitwiseOr(1 << UInt(cpu_number()), ordering: .acquiringAndReleasing)
    thisProcessor.process = self
    cpu_set_root(rootRegister)
  }

  /// Loads the idle address space on this processor.
  func deactivate() {
    cpu_set_root(idleRoot)
    thisProcessor.process = nil
    runningOn.bitwiseAnd(~(1 << UInt(cpu_number())), ordering: .acquiringAndReleasing)
  }

  /// Runs `body` with the address space loaded.
  func whileActive<Result>(_ body: () -> Result) -> Result {
    activate()
    defer { deactivate() }
    return body()
  }

  /// Runs the program at an offset of `programs.c` in user mode; nil when a fault ended it.
  func run(_ offset: UInt64, _ first: UInt64, _ second: UInt64 = 0) -> UInt64? {
    whileActive {
      thisProcessor.enter(
        UInt64(Process.code.start.raw) + offset, stack: UInt64(Process.stack.end.raw), first, second,
        inUserMode: true)
    }
  }

  private var rootRegister: UInt64 { change { space, _, _ in space.rootRegister } }
}

extension AddressSpace {
  /// Runs `body` on the value in place, which an optional chain can call.
  mutating func run<Result: ~Copyable, Failure: Error>(
    _ body: (inout AddressSpace) throws(Failure) -> Result
  ) throws(Failure) -> Result { try body(&self) }

  var rootRegister: UInt64 { Format.rootRegister(table.root, .untagged) }
}

/// What selects the idle address space: the kernel and its heap.
nonisolated(unsafe) var idleRoot: UInt64 = 0
