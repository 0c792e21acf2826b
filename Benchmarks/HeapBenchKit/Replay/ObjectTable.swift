import Addresses
import CLabPlatform
import Glibc
import Synchronization

/// The address of each object of a workload, published from thread to thread.
///
/// An object's entry counts the steps taken with it. A thread takes an object's step only when the count has reached
/// that step's turn. Each object's steps thus happen in their order, and threads are otherwise independent. A thread
/// waits only for steps that are earlier in the global order, so replays cannot deadlock.
@safe struct ObjectTable: ~Copyable, @unchecked Sendable {
  private struct Entry: ~Copyable {
    var address: UInt
    let turn: Atomic<UInt32>
  }

  private let entries: UnsafeMutablePointer<Entry>
  private let byteCount: Int

  /// A table of `count` objects, none of them allocated. All pages of the table are resident.
  init(count: Int) throws(MeasurementFailure) {
    byteCount = max(1, count) * MemoryLayout<Entry>.stride
    // SAFETY: a new mapping; zero bytes are a valid entry at turn 0.
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

  /// Waits until `turn` steps were taken with the object, and returns its address; ``VirtAddr/null`` when its
  /// allocation failed.
  @inline(__always) func wait(for object: UInt32, turn: UInt32) -> VirtAddr {
    // SAFETY: a plan's objects are below the count. Acquiring pairs with the release in `publish`: the address and the
    // block's content are visible with the turn. Nothing writes the address until this turn's step is published.
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

  /// Publishes that the step of `turn` was taken and left the object at `address`.
  @inline(__always) func publish(_ address: VirtAddr, for object: UInt32, turn: UInt32) {
    // SAFETY: as above; only the thread whose turn it is writes.
    unsafe entries[Int(object)].address = address.raw
    // Releasing pairs with the acquiring load in `wait`.
    unsafe entries[Int(object)].turn.store(turn &+ 1, ordering: .releasing)
  }
}
