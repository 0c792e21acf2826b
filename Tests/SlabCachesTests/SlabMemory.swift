import Addresses
import BuddyFrames
import LabTestSupport
import PageTables
import SlabCaches
import SpinLocks
import Synchronization
import Testing

/// Simulated physical memory with an allocator of its frames.
final class SlabMemory: Sendable {
  private let bytes: TestMemory
  private let table: TestMemory
  let frameCount: UInt64
  let frames: LockedFrames
  let mapper: OffsetPhysMapper

  init(frameCount: UInt64 = 1024) {
    self.frameCount = frameCount
    let range = AddrRange(start: PhysAddr(16 << 20), byteCount: frameCount << 12)
    // A slab needs its virtual address aligned, too.
    let alignment = UInt(SlabLayout.orderMaximum.byteCount)
    bytes = TestMemory(byteCount: UInt(range.byteCount) + alignment)
    table = TestMemory(byteCount: BuddyFrames.tableByteCount(for: range))
    mapper = OffsetPhysMapper(range, at: bytes.range.start.alignedUp(to: alignment))
    frames = LockedFrames(BuddyFrames(over: range, tableIn: table.range, holding: .anything))
  }

  /// A cache over this memory.
  func cache<Object: SlabObject & ~Copyable>(
    of _: Object.Type, alignment: UInt = 1, checks: SlabChecks = .atSlabs
  ) -> SlabCache<Object, OffsetPhysMapper, SpinLock> {
    SlabCache("test", alignment: alignment, mapper: mapper, checks: checks)
  }
}

/// An object that knows whether it is constructed and who holds it.
struct Connection: SlabObject, ~Copyable {
  static let constructed: UInt64 = 0x0C0_FFEE

  /// How many objects are constructed now.
  static let count = Atomic(0)

  private(set) var mark = Connection.constructed
  /// The holder's number, 0 for none.
  var holder: UInt64 = 0
  private var buffer = InlineArray<10, UInt64>(repeating: 0)

  init() { Connection.count.wrappingAdd(1, ordering: .relaxed) }

  deinit {
    precondition(mark == Connection.constructed && holder == 0, "the destructor found something else")
    Connection.count.wrappingSubtract(1, ordering: .relaxed)
  }
}

/// An object of `count` bytes.
struct Bytes<let count: Int>: SlabObject {
  private var bytes = InlineArray<count, UInt8>(repeating: 0)

  init() {}
}

extension UnsafeMutablePointer where Pointee: ~Copyable {
  /// The address as a number.
  var address: UInt { UInt(bitPattern: self) }
}

/// The value, or a test failure where it is nil: `#require` for calls on noncopyable types.
func unwrapped<Value>(_ value: Value?, sourceLocation: SourceLocation = #_sourceLocation) throws -> Value {
  try #require(value, sourceLocation: sourceLocation)
}
