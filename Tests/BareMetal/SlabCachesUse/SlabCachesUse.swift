import Addresses
import BuddyFrames
import FirstFitHeap
import PageTables
import SlabCaches
import SpinLocks

// As PageTablesUse: uses what is generic over locks, interrupts and objects. scripts/check-bare-metal thereby compiles it
// for processors without an operating system, where nothing may allocate.

/// A processor whose interrupts are always disabled.
enum NoInterrupts: InterruptControl {
  static func disable() -> Bool { false }
  static func enable() {}
}

typealias KernelLock = InterruptSafeLock<TicketLock, NoInterrupts>

/// An object with a constructor and a destructor.
struct Connection: SlabObject, ~Copyable {
  var port: UInt32 = 0
  let lock = SpinLock()

  init() {}
  deinit { _ = port }
}

let kernelHeap = LockedHeapBy<KernelLock>()

func useHeap(_ range: AddrRange<VirtAddr>) -> Bool {
  do throws(HeapInitError) {
    try kernelHeap.initHeap(range)
  } catch {
    return false
  }
  guard let block = kernelHeap.allocate(byteCount: 100, alignment: 16) else { return false }
  kernelHeap.deallocate(block)
  return true
}

/// Every operation on a cache.
func useCache<Lock: LockKind & ~Copyable>(
  _ cache: borrowing SlabCache<Connection, OffsetPhysMapper, Lock>, _ frames: borrowing LockedFramesBy<KernelLock>
) -> Bool {
  var own = cache.makeMagazines()
  guard let first = unsafe cache.allocate(through: &own, from: frames),
    let second = unsafe cache.allocate(from: frames)
  else { return false }
  unsafe first.pointee.port = 80
  unsafe cache.deallocate(first, through: &own, to: frames)
  unsafe cache.deallocate(second, to: frames)
  cache.drain(&own, to: frames)
  cache.reap(to: frames)
  cache.shrink(by: 10, to: frames)
  unsafe cache.forEachObjectInUse { unsafe $0.pointee.port = 0 }
  return cache.statistics.usedObjectCount == 0 && cache.drain(to: frames) == 0
}

/// Uses all of it; it is compiled, not run.
@c(lab_use_slab_caches)
public func useSlabCaches(_ memory: UInt, _ byteCount: UInt) -> CInt {
  let memory = AddrRange(start: VirtAddr(memory), byteCount: byteCount)
  let range = AddrRange(start: PhysAddr(0x100_0000), byteCount: 1 << 20)
  let frames = LockedFramesBy<KernelLock>(BuddyFrames(over: range, tableIn: memory, holding: .anything))
  let mapper = OffsetPhysMapper(range, at: VirtAddr(0x100_0000))
  let plain = SlabCache<Connection, OffsetPhysMapper, SpinLock>("plain", mapper: mapper)
  let safe = SlabCache<Connection, OffsetPhysMapper, KernelLock>(
    "safe", alignment: 64, mapper: mapper, checks: .atEveryCall)
  return useHeap(memory) && useCache(plain, frames) && useCache(safe, frames) ? 1 : 0
}
