package import Addresses
internal import CLabSystem

/// The system calls on pages. Regions and the heap behind `malloc` are built on them.
///
/// Addresses are numbers and multiples of the page. Byte counts are multiples of the page and not 0. Nothing here
/// checks who owns a page: a caller must own the pages that it names.
///
/// None of these functions allocates, and none changes `errno`. A function that makes, moves or unmaps a mapping has
/// changed nothing when it throws; one that changes pages may have changed some of them. Pages that are not mapped throw
/// ENOMEM, unless the function says otherwise.
package enum SystemPages {
  /// The size of a page, in bytes: a power of two, 4,096 or more.
  package static var byteCount: UInt { UInt(lab_facts_page_size()) }

  /// `byteCount` rounded up to whole pages; 0 when the result has more than 64 bits.
  package static func rounded(_ byteCount: UInt) -> UInt {
    let mask = SystemPages.byteCount - 1
    return (byteCount &+ mask) & ~mask
  }

  /// `byteCount` rounded down to whole pages.
  package static func roundedDown(_ byteCount: UInt) -> UInt { byteCount & ~(SystemPages.byteCount - 1) }

  private static func check(_ code: Int32) throws(SystemError) {
    if code != 0 { throw SystemError(code) }
  }

  private static func pointer(_ address: UInt) -> UnsafeMutableRawPointer? {
    // SAFETY: nothing follows the pointer here. Each caller says who does.
    unsafe UnsafeMutableRawPointer(bitPattern: address)
  }
}

// MARK: - Mappings

extension SystemPages {
  /// Reserves address space: it cannot be accessed and has no memory. Returns its first address, a multiple of
  /// `alignment`, which is a power of two. Throws ENOMEM where there is no such gap.
  package static func reserve(byteCount: UInt, alignment: UInt) throws(SystemError) -> UInt {
    var address: UnsafeMutableRawPointer?
    // SAFETY: the result goes to a local.
    try check(unsafe lab_region_reserve(byteCount, alignment, &address))
    return UInt(bitPattern: address)
  }

  /// Maps zeros that can be read and written. Returns the first address, a multiple of `alignment`, which is a power of
  /// two. Throws ENOMEM where there is no such gap, or the system does not promise that much memory.
  package static func map(byteCount: UInt, alignment: UInt = SystemPages.byteCount) throws(SystemError) -> UInt {
    var address: UnsafeMutableRawPointer?
    // SAFETY: the result goes to a local.
    try check(unsafe lab_region_map(byteCount, alignment, &address))
    return UInt(bitPattern: address)
  }

  /// Maps zeros that can be read, and written if `isWritable`, at `address`. Throws EEXIST where something is mapped
  /// there. What cannot be written is never charged to the system's memory.
  package static func map(at address: UInt, byteCount: UInt, isWritable: Bool = true) throws(SystemError) {
    // SAFETY: only the system follows the pointer, and it replaces no mapping.
    try check(unsafe lab_region_map_at(pointer(address), byteCount, isWritable))
  }

  /// Maps zeros on explicit huge pages, which are set aside at once. Returns the first address.
  ///
  /// `byteCount` is a multiple of `pageSize`. Throws ENOMEM where the pool has too few pages.
  package static func mapHuge(byteCount: UInt, pageSize: PageSize) throws(SystemError) -> UInt {
    var address: UnsafeMutableRawPointer?
    // SAFETY: the result goes to a local.
    try check(unsafe lab_region_map_huge(byteCount, UInt32(pageSize.rawValue), &address))
    return UInt(bitPattern: address)
  }

  /// Puts explicit huge pages in place of private pages, whose content is lost. They are set aside at once and have no
  /// memory yet. Whatever it throws, the former pages are there again.
  ///
  /// Both numbers are multiples of `pageSize`. Throws ENOMEM where the pool has too few pages.
  package static func swapHuge(_ address: UInt, byteCount: UInt, pageSize: PageSize) throws(SystemError) {
    // SAFETY: the caller owns the pages and gives up their content.
    try check(unsafe lab_region_swap_huge(pointer(address), byteCount, UInt32(pageSize.rawValue)))
  }

  /// Puts ordinary pages back in place of what `swapHuge` put there.
  package static func swapBack(_ address: UInt, byteCount: UInt) throws(SystemError) {
    // SAFETY: as above.
    try check(unsafe lab_region_swap_back(pointer(address), byteCount))
  }

  /// How many bytes of the mappings that overlap a range are on transparent huge pages.
  ///
  /// - Complexity: O(mappings of the process); reads `/proc/thread-self/smaps`.
  package static func transparentByteCount(_ address: UInt, byteCount: UInt) throws(SystemError) -> UInt {
    var hugeByteCount: UInt = 0
    // SAFETY: only numbers are compared; the result goes to a local.
    try check(unsafe lab_region_transparent(pointer(address), byteCount, &hugeByteCount))
    return hugeByteCount
  }

  /// Makes a mapping `newByteCount` bytes long, elsewhere if need be, by moving its pages. Returns its new address. New
  /// pages read as zeros. Throws EFAULT where `address` is not mapped.
  package static func resize(
    _ address: UInt, byteCount: UInt, to newByteCount: UInt
  ) throws(SystemError) -> UInt {
    var moved: UnsafeMutableRawPointer?
    // SAFETY: the caller owns the mapping; the result goes to a local.
    try check(unsafe lab_region_resize(pointer(address), byteCount, newByteCount, &moved))
    return UInt(bitPattern: moved)
  }

  /// Gives address space and its content back. Address space that is not mapped is no error.
  package static func unmap(_ address: UInt, byteCount: UInt) throws(SystemError) {
    // SAFETY: the caller owns the range and gives it up.
    try check(unsafe lab_region_release(pointer(address), byteCount))
  }

  /// Makes pages what `reserve` gives, in place: without access, memory and advice. Pages that are not mapped are no
  /// error.
  package static func reset(_ address: UInt, byteCount: UInt) throws(SystemError) {
    // SAFETY: the caller owns the pages and gives up their content.
    try check(unsafe lab_region_reset(pointer(address), byteCount))
  }
}

// MARK: - Access and content

extension SystemPages {
  /// What the system can be told about pages.
  package enum Advice {
    /// Their memory goes back now; they read as zeros afterwards. Pinned pages throw EINVAL.
    case drop
    /// Their memory goes back when the system runs short. Until a page is written again it reads as before or as zeros.
    /// Pinned pages throw EINVAL.
    case dropLazily
    /// Transparent huge pages may back them. A system that has none throws EINVAL.
    case useHugePages
    /// Transparent huge pages may not back them. A system that has none throws EINVAL.
    case avoidHugePages
    /// They read as zeros in a child of `fork`. A kernel before 4.14 throws EINVAL; a user-mode emulator that would
    /// ignore the advice throws ENOSYS.
    case wipeOnFork
    /// They are left out of core dumps, those that a debugger writes included.
    case avoidDump
    /// They are part of core dumps, as pages are from the start.
    case dump

    fileprivate var code: lab_region_advice {
      switch self {
      case .drop: LAB_REGION_DROP
      case .dropLazily: LAB_REGION_DROP_LAZILY
      case .useHugePages: LAB_REGION_HUGE
      case .avoidHugePages: LAB_REGION_NO_HUGE
      case .wipeOnFork: LAB_REGION_WIPE_ON_FORK
      case .avoidDump: LAB_REGION_NO_DUMP
      case .dump: LAB_REGION_DUMP
      }
    }
  }

  /// Gives the system advice about pages.
  package static func advise(_ address: UInt, byteCount: UInt, _ advice: Advice) throws(SystemError) {
    // SAFETY: the caller owns the pages, and gives up their content where the advice says so.
    try check(unsafe lab_region_advise(pointer(address), byteCount, advice.code))
  }

  /// Gives the memory behind pages back: they read as zeros afterwards. Throws EINVAL for pinned pages.
  package static func decommit(_ address: UInt, byteCount: UInt) throws(SystemError) {
    try advise(address, byteCount: byteCount, .drop)
  }

  /// Makes pages read as zeros in a child of `fork`. Throws EINVAL where the kernel (before 4.14) cannot,
  /// and ENOSYS under a user-mode emulator that would ignore it.
  package static func wipeOnFork(_ address: UInt, byteCount: UInt) throws(SystemError) {
    try advise(address, byteCount: byteCount, .wipeOnFork)
  }

  /// Sets what may be done with pages. A process runs in user mode: `MemPerm.user` changes nothing here.
  package static func protect(
    _ address: UInt, byteCount: UInt, as permissions: MemPerm
  ) throws(SystemError) {
    let (reads, writes) = (permissions.contains(.read), permissions.contains(.write))
    // SAFETY: the caller owns the pages. It loses no access but its own.
    try check(
      unsafe lab_region_protect(pointer(address), byteCount, reads, writes, permissions.contains(.execute)))
  }

  /// Makes reserved pages readable and writable.
  package static func commit(_ address: UInt, byteCount: UInt) throws(SystemError) {
    try protect(address, byteCount: byteCount, as: .read | .write)
  }
}

// MARK: - Residence

extension SystemPages {
  /// Puts memory behind pages and keeps their content. Throws EFAULT for a page that cannot be written; before
  /// kernel 5.14, also for one that is not mapped.
  ///
  /// - Complexity: O(pages)
  package static func prefault(_ address: UInt, byteCount: UInt) throws(SystemError) {
    // SAFETY: the caller owns the pages. An old kernel has no such call: there the function writes to each page, which
    // it knows to be writable, and changes nothing.
    try check(unsafe lab_region_prefault(pointer(address), byteCount))
  }

  /// Keeps pages in memory until they are unpinned: all of them from now on, or each from its first use on.
  ///
  /// Throws EPERM or ENOMEM past the process's limit, ENOMEM for pages that cannot be accessed, and EAGAIN when memory
  /// runs out.
  /// - Complexity: O(pages)
  package static func pin(_ address: UInt, byteCount: UInt, onFault: Bool) throws(SystemError) {
    // SAFETY: pinning changes no content.
    try check(unsafe lab_region_pin(pointer(address), byteCount, onFault))
  }

  /// Lets the system swap pages out again.
  ///
  /// - Complexity: O(pages)
  package static func unpin(_ address: UInt, byteCount: UInt) throws(SystemError) {
    // SAFETY: unpinning changes no content.
    try check(unsafe lab_region_unpin(pointer(address), byteCount))
  }

  /// How many bytes of the pages are in memory.
  ///
  /// - Complexity: O(pages)
  package static func residentByteCount(_ address: UInt, byteCount: UInt) throws(SystemError) -> UInt {
    var residentByteCount: UInt = 0
    // SAFETY: only the system follows the pointer; the result goes to a local.
    try check(unsafe lab_region_resident(pointer(address), byteCount, &residentByteCount))
    return residentByteCount
  }

  /// How many bytes of the pages are in memory and will not be swapped out: pinned pages and explicit huge pages. Pages
  /// that are not mapped do not count. Throws ENOENT without `/proc`.
  ///
  /// - Complexity: O(pages + mappings of the process); reads `/proc/thread-self/smaps`.
  package static func lockedByteCount(_ address: UInt, byteCount: UInt) throws(SystemError) -> UInt {
    var lockedByteCount: UInt = 0
    // SAFETY: only the system follows the pointer; the result goes to a local.
    try check(unsafe lab_region_locked(pointer(address), byteCount, &lockedByteCount))
    return lockedByteCount
  }
}
