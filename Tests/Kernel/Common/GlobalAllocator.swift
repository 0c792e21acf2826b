import Addresses
import FirstFitHeap
import SpinLocks

// The heap under Swift's classes, arrays and boxes: posix_memalign and free call these two. Interrupt handlers allocate
// too, so its lock disables interrupts.

let kernelHeap = LockedHeapBy<InterruptSafeLock<SpinLock, Interrupts>>()

@c(kernel_allocate)
public func allocate(_ byteCount: UInt64, _ alignment: UInt64) -> UnsafeMutableRawPointer? {
  kernelHeap.allocate(byteCount: UInt(byteCount), alignment: UInt(alignment))?.pointer
}

@c(kernel_deallocate)
public func deallocate(_ address: UInt64) { kernelHeap.deallocate(VirtAddr(UInt(address))) }
