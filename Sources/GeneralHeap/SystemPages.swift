internal import CLabSystem

/// What the heap asks of the system's memory. Addresses are numbers, byte counts multiples of the page; a failure is
/// nil or false, and `errno` is as it was.
enum SystemPages {
  /// The size of a page, in bytes.
  static var byteCount: UInt { 4096 }

  /// `byteCount` rounded up to whole pages.
  static func rounded(_ byteCount: UInt) -> UInt { (byteCount &+ 4095) & ~4095 }

  /// Address space without memory behind it.
  static func reserve(byteCount: UInt, alignment: UInt) -> UInt? {
    var address: UnsafeMutableRawPointer?
    return unsafe lab_region_reserve(byteCount, alignment, &address) == 0 ? UInt(bitPattern: address) : nil
  }

  /// A new mapping of zeros.
  static func map(byteCount: UInt, alignment: UInt = SystemPages.byteCount) -> UInt? {
    var address: UnsafeMutableRawPointer?
    return unsafe lab_region_map(byteCount, alignment, &address) == 0 ? UInt(bitPattern: address) : nil
  }

  /// A new mapping of zeros at `address`; whether it could, with nothing mapped there before.
  static func map(at address: UInt, byteCount: UInt) -> Bool {
    unsafe lab_region_map_at(pointer(address), byteCount) == 0
  }

  /// The most address space that the process may have (RLIMIT_AS), in bytes, `UInt.max` for no limit.
  static var addressSpaceLimit: UInt {
    var byteCount: UInt64 = 0
    return unsafe lab_facts_address_space_limit(&byteCount) == 0 ? UInt(byteCount) : .max
  }

  /// A page that reads as zeros in a child of fork, nil also when the kernel has none such.
  static func mapWipedByFork() -> UInt? {
    guard let page = map(byteCount: byteCount) else { return nil }
    if unsafe lab_region_advise(pointer(page), byteCount, LAB_REGION_WIPE_ON_FORK) == 0 { return page }
    unmap(page, byteCount: byteCount)
    return nil
  }

  /// Makes a mapping `newByteCount` bytes long; its address from now on.
  static func resize(_ address: UInt, byteCount: UInt, to newByteCount: UInt) -> UInt? {
    var moved: UnsafeMutableRawPointer?
    let code = unsafe lab_region_resize(pointer(address), byteCount, newByteCount, &moved)
    return code == 0 ? UInt(bitPattern: moved) : nil
  }

  /// Gives address space back; whether the system took it.
  @discardableResult
  static func unmap(_ address: UInt, byteCount: UInt) -> Bool {
    unsafe lab_region_release(pointer(address), byteCount) == 0
  }

  /// Makes reserved pages readable and writable; whether it could.
  static func commit(_ address: UInt, byteCount: UInt) -> Bool {
    unsafe lab_region_protect(pointer(address), byteCount, true, true, false) == 0
  }

  /// Gives the memory behind pages back: they read as zeros afterwards. False when they do not.
  static func decommit(_ address: UInt, byteCount: UInt) -> Bool {
    unsafe lab_region_advise(pointer(address), byteCount, LAB_REGION_DROP) == 0
  }

  private static func pointer(_ address: UInt) -> UnsafeMutableRawPointer? {
    // SAFETY: only the system follows it.
    unsafe UnsafeMutableRawPointer(bitPattern: address)
  }
}
