public import Addresses
import CLabBench
import Glibc

/// The malloc of this process: the C library's, or one that was preloaded.
public struct SystemMalloc: ReplayTarget {
  /// The process has one malloc.
  public init() {}

  public func allocate(byteCount: UInt, alignment: UInt) -> VirtAddr? {
    // SAFETY: malloc takes any size, and aligned_alloc any alignment that is a power of two.
    let pointer = unsafe alignment <= 16 ? malloc(Int(byteCount)) : aligned_alloc(Int(alignment), Int(byteCount))
    return unsafe pointer.map { unsafe VirtAddr(UnsafeRawPointer($0)) }
  }

  public func allocateZeroed(byteCount: UInt, alignment: UInt) -> VirtAddr? {
    if alignment <= 16 {
      // SAFETY: calloc's contract asks nothing.
      return unsafe calloc(1, Int(byteCount)).map { unsafe VirtAddr(UnsafeRawPointer($0)) }
    }
    guard let address = allocate(byteCount: byteCount, alignment: alignment) else { return nil }
    // SAFETY: the block is new and has `byteCount` bytes.
    unsafe memset(address.unsafePointer, 0, Int(byteCount))
    return address
  }

  public func reallocate(_ address: VirtAddr, toByteCount byteCount: UInt, alignment: UInt) -> VirtAddr? {
    // SAFETY: the caller holds the block. A size of 0 would free it, so the request is for at least one byte.
    unsafe realloc(address.unsafePointer, max(1, Int(byteCount))).map { unsafe VirtAddr(UnsafeRawPointer($0)) }
  }

  public func deallocate(_ address: VirtAddr) {
    // SAFETY: the caller holds the block.
    unsafe free(address.unsafePointer)
  }

  public func usableByteCount(of address: VirtAddr) -> UInt {
    // SAFETY: the caller holds the block.
    unsafe UInt(lab_malloc_usable(address.unsafePointer))
  }
}
