import Addresses
import CLabPlatform
import Glibc
import Synchronization

/// Where each object of a workload lies, published from thread to thread.
///
/// An object's entry counts the steps taken with it. A thread takes the object's next step only when the count has
/// come to that step's turn, so that each object's steps happen in their order while threads are otherwise free. A
/// thread only ever waits for steps that are earlier in the global order, so replays cannot deadlock.
@safe struct ObjectTable: ~Copyable, @unchecked Sendable {
  private struct Entry: ~Copyable {
    var address: UInt
    let turn: Atomic<UInt32>
  }

  private let entries: UnsafeMutablePointer<Entry>
  private let byteCount: Int

  /// A table of `count` objects of which none has been allocated, all its pages resident.
  init(count: Int) throws(MeasurementFailure) {
    byteCount = max(1, count) * MemoryLayout<Entry>.stride
    // SAFETY: a new mapping; zero bytes are an entry at turn 0.
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE
    let base = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0)
    guard let base = unsafe base, unsafe base != MAP_FAILED else {
      throw .system("cannot hold the addresses of \(count) objects", errno)
    }
    // SAFETY: the mapping is as long as the entries, and zero bytes are an entry at turn 0.
    unsafe entries = base.assumingMemoryBound(to: Entry.self)
  }

  deinit {
    // SAFETY: the mapping is this table's own.
    unsafe munmap(entries, byteCount)
  }

  /// The object's address, ``VirtAddr/null`` when its allocation failed, once `turn` steps were taken with it.
  @inline(__always) func wait(for object: UInt32, turn: UInt32) -> VirtAddr {
    // SAFETY: a plan's objects are below the count. Acquiring pairs with the release in `publish`: the address, and
    // what the other thread wrote into the block, are seen with the turn. The address is only written at its turn.
    if unsafe entries[Int(object)].turn.load(ordering: .acquiring) != turn { waitLong(for: object, turn: turn) }
    return unsafe VirtAddr(entries[Int(object)].address)
  }

  @inline(never) private func waitLong(for object: UInt32, turn: UInt32) {
    var spinCount = 0
    // SAFETY: as above.
    while unsafe entries[Int(object)].turn.load(ordering: .acquiring) != turn {
      spinCount += 1
      if spinCount < 100 { lab_platform_relax() } else { lab_platform_yield() }
    }
  }

  /// Says that the step of `turn` was taken and left the object at `address`.
  @inline(__always) func publish(_ address: VirtAddr, for object: UInt32, turn: UInt32) {
    // SAFETY: as above; only the thread whose turn it is writes.
    unsafe entries[Int(object)].address = address.raw
    // Releasing pairs with the acquiring load in `wait`.
    unsafe entries[Int(object)].turn.store(turn &+ 1, ordering: .releasing)
  }
}
