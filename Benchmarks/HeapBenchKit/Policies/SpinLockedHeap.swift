public import Addresses
import Glibc
public import MemoryProtocols
import SpinLocks

/// A policy's heap behind one spin lock, as in the source design's global allocator: every call takes the lock.
public final class SpinLockedHeap<Heap: HeapPolicy & Sendable & ~Copyable>: ReplayTarget {
  private let heap: Locked<Heap>

  /// A heap over `range`. `Heap`'s own initialiser says what the range must be.
  public init(over range: AddrRange<VirtAddr>) {
    heap = Locked(Heap(over: range))
  }

  @inline(__always)
  public func allocate(byteCount: UInt, alignment: UInt) -> VirtAddr? {
    heap.withLock { $0.allocate(byteCount: byteCount, alignment: alignment) }
  }

  public func allocateZeroed(byteCount: UInt, alignment: UInt) -> VirtAddr? {
    guard let address = allocate(byteCount: byteCount, alignment: alignment) else { return nil }
    // SAFETY: the block is the caller's own and has `byteCount` bytes.
    if byteCount > 0 { unsafe memset(address.unsafePointer, 0, Int(byteCount)) }
    return address
  }

  /// Resizes in place where the heap can. Otherwise it copies the content outside the lock, since both blocks are the
  /// caller's.
  public func reallocate(_ address: VirtAddr, toByteCount byteCount: UInt, alignment: UInt) -> VirtAddr? {
    let place: Relocation = heap.withLock { heap in
      if heap.resize(address, toByteCount: byteCount) { return .same }
      guard let new = heap.allocate(byteCount: byteCount, alignment: alignment) else { return .none }
      return .new(new, usableByteCount: heap.usableByteCount(of: address))
    }
    switch place {
    case .none: return nil
    case .same: return address
    case .new(let new, let usableByteCount):
      // SAFETY: both blocks are the caller's own, do not overlap, and have at least that many bytes.
      unsafe memcpy(new.unsafePointer, address.unsafePointer, Int(min(usableByteCount, byteCount)))
      deallocate(address)
      return new
    }
  }

  @inline(__always)
  public func deallocate(_ address: VirtAddr) {
    heap.withLock { $0.deallocate(address) }
  }

  public func usableByteCount(of address: VirtAddr) -> UInt {
    heap.withLock { $0.usableByteCount(of: address) }
  }
}

/// The new place of a reallocated block.
private enum Relocation {
  case same
  case new(VirtAddr, usableByteCount: UInt)
  case none
}
