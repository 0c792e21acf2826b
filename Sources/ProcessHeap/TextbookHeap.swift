internal import Addresses
internal import Assertions
internal import BuddyFrames
internal import FirstFitHeap
internal import HeapSpaces
internal import MemoryRegions

// HEAPLAB_POLICY=firstfit and HEAPLAB_POLICY=buddy: every request of the process goes through one lock and one policy,
// as in a textbook, to show what the general heap's spans and caches gain.
//
// No thread ever gets a heap, and the address range of the hot paths stays empty: each request reaches the slow paths
// and from there this heap. Free memory stays committed. In a signal handler that interrupted a request of its own
// thread, blocks come from the emergency region, and a freed block is lost.
//
//     base <= policyStart <= committedEnd <= end
//
// The policy holds policyStart..<committedEnd. The two starts differ only in a child of fork, when another thread of
// the parent was inside the lock: the child starts a new policy above the committed memory, and keeps the old blocks as
// they are.

/// The policies that `HEAPLAB_POLICY` names.
enum ServingPolicy: UInt8 {
  case general = 0
  case firstFit = 1
  case buddy = 2
}

/// The fields of such a heap besides its policy, which lies behind them in the same page.
struct TextbookRecord: ~Copyable {
  let lock = HeapLock()
  var policy = ServingPolicy.general
  var reservation: HeapReservation
  var policyStart: UInt
  var committedEnd: UInt
  /// The bytes of the blocks in use, and how many bytes may be committed.
  var usedByteCount: UInt = 0
  var limitByteCount: UInt = .max

  init(over reservation: HeapReservation) {
    self.reservation = reservation
    policyStart = reservation.base
    committedEnd = reservation.base
  }
}

/// The heap of a process under a textbook policy, by the address of its record.
struct TextbookHeap {
  let address: UInt

  /// The process's textbook heap; nil under the general policy, and before the first allocation.
  static var current: TextbookHeap? {
    let address = ProcessState().textbook
    return address == 0 ? nil : TextbookHeap(address: address)
  }

  var fields: TextbookRecord {
    // SAFETY: the record starts a page that `create` mapped and that is never unmapped.
    @inline(__always) unsafeAddress { unsafe UnsafePointer(bitPattern: address).unsafelyUnwrapped }
    @inline(__always) nonmutating unsafeMutableAddress {
      unsafe UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped
    }
  }

  private static var policyOffset: UInt { 256 }

  /// The first-fit heap, under the policy `firstFit`.
  var firstFit: FirstFitHeap {
    // SAFETY: under that policy `start` put the heap there; it has a few words.
    @inline(__always) unsafeAddress {
      unsafe UnsafePointer(bitPattern: address &+ TextbookHeap.policyOffset).unsafelyUnwrapped
    }
    @inline(__always) nonmutating unsafeMutableAddress {
      unsafe UnsafeMutablePointer(bitPattern: address &+ TextbookHeap.policyOffset).unsafelyUnwrapped
    }
  }

  /// The buddy, under the policy `buddy`. A frame's number is its address.
  var frames: BuddyFrames {
    // SAFETY: as above.
    @inline(__always) unsafeAddress {
      unsafe UnsafePointer(bitPattern: address &+ TextbookHeap.policyOffset).unsafelyUnwrapped
    }
    @inline(__always) nonmutating unsafeMutableAddress {
      unsafe UnsafeMutablePointer(bitPattern: address &+ TextbookHeap.policyOffset).unsafelyUnwrapped
    }
  }

  /// A heap over as much address space as possible, 64 GiB down to 16 MiB; nil when there is none. A buddy's table is
  /// for the whole range: it must fit a limit of the address space.
  static func create(_ settings: Settings) -> TextbookHeap? {
    require(
      MemoryLayout<TextbookRecord>.size <= Int(policyOffset)
        && MemoryLayout<BuddyFrames>.size <= Int(SystemPages.byteCount - policyOffset),
      "a textbook heap's record must fit its page")
    let most = min(64 << 30, UInt(SystemMemory.addressSpaceLimitByteCount ?? .max))
    guard let reservation = HeapReservation.make(byteCount: most, reserves: settings.reservesAddressSpace) else {
      return nil
    }
    guard let page = try? SystemPages.map(byteCount: SystemPages.byteCount) else {
      reservation.release()
      return nil
    }
    // SAFETY: a page for the record, which is shorter, and nothing else uses the page.
    unsafe UnsafeMutablePointer<TextbookRecord>(bitPattern: page).unsafelyUnwrapped.initialize(
      to: TextbookRecord(over: reservation))
    let heap = TextbookHeap(address: page)
    heap.fields.policy = settings.policy
    heap.fields.limitByteCount = settings.limitByteCount
    if heap.start() { return heap }
    reservation.release()
    try? SystemPages.unmap(page, byteCount: SystemPages.byteCount)
    return nil
  }

  /// Starts a policy over the memory that was never committed. Returns whether there was memory for its tables.
  func start() -> Bool {
    let start = fields.committedEnd
    fields.reservation.abandon(from: start, to: fields.reservation.end)
    let place = address + TextbookHeap.policyOffset
    if fields.policy == .buddy {
      let range = AddrRange(start: PhysAddr(UInt64(start)), end: PhysAddr(UInt64(fields.reservation.end)))
      let tableByteCount = BuddyFrames.tableByteCount(for: range)
      guard let table = try? SystemPages.map(byteCount: SystemPages.rounded(tableByteCount)) else { return false }
      let tableRange = AddrRange(start: VirtAddr(table), byteCount: tableByteCount)
      // SAFETY: the place lies in the record's page, behind the record; a previous policy needs no clean-up.
      unsafe UnsafeMutablePointer<BuddyFrames>(bitPattern: place).unsafelyUnwrapped.initialize(
        to: BuddyFrames(over: range, tableIn: tableRange, holding: .zeros))
    } else {
      // SAFETY: as above.
      unsafe UnsafeMutablePointer<FirstFitHeap>(bitPattern: place).unsafelyUnwrapped.initialize(to: FirstFitHeap())
    }
    fields.policyStart = start
    return true
  }

  /// Starts the policy again, in a child of fork when it may be half changed. Without memory for a buddy's table it
  /// becomes first fit, which needs none.
  func startAnew() {
    if start() { return }
    fields.policy = .firstFit
    _ = start()
  }
}
