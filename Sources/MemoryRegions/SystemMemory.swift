public import Addresses
internal import CLabSystem

/// What the system has, and what it allows this process.
public enum SystemMemory {
  /// The size of the system's base page, in bytes.
  public static var pageByteCount: UInt { UInt(lab_facts_page_size()) }

  /// An address where the system put a mapping of its own accord, 0 when it does not say.
  package static var mappingAddress: UInt { UInt(lab_facts_mapping()) }

  /// How many bytes the process may pin (RLIMIT_MEMLOCK); nil without a limit.
  public static var pinLimitByteCount: UInt64? {
    var byteCount: UInt64 = 0
    // SAFETY: the result goes to a local.
    let code = unsafe lab_facts_pin_limit(&byteCount)
    return code == 0 && byteCount != UInt64.max ? byteCount : nil
  }

  /// How many bytes of address space the process may use (RLIMIT_AS); nil without a limit.
  public static var addressSpaceLimitByteCount: UInt64? {
    var byteCount: UInt64 = 0
    // SAFETY: the result goes to a local.
    let code = unsafe lab_facts_address_space_limit(&byteCount)
    return code == 0 && byteCount != UInt64.max ? byteCount : nil
  }

  /// How many bytes of address space the process uses; nil when `/proc` does not say.
  ///
  /// - Complexity: reads `/proc/thread-self/status`.
  public static var addressSpaceByteCount: UInt64? {
    var byteCount: UInt64 = 0
    // SAFETY: the result goes to a local.
    let code = unsafe lab_facts_address_space(&byteCount)
    return code == 0 ? byteCount : nil
  }

  /// How much memory there is to take.
  package struct Room: Equatable, Sendable {
    /// How many bytes.
    package let byteCount: UInt64
    /// Whether a control group sets the limit, not the machine.
    package let isOfGroup: Bool
  }

  /// How much memory the process may still take without swapping; nil when `/proc` does not say.
  ///
  /// - Complexity: reads files of `/proc`, and three for each control group around the process.
  package static var room: Room? {
    var byteCount: UInt64 = 0
    var isOfGroup = false
    // SAFETY: the results go to locals.
    let code = unsafe lab_facts_memory_room(&byteCount, &isOfGroup)
    return code == 0 ? Room(byteCount: byteCount, isOfGroup: isOfGroup) : nil
  }

  /// What a process has pinned.
  public struct Pinned: Equatable, Sendable {
    /// How many bytes are pinned.
    public let byteCount: UInt64
    /// Whether the process is exempt from the limit: it has CAP_IPC_LOCK, as root does.
    public let isExempt: Bool
  }

  /// What the process has pinned; nil when `/proc` does not say.
  ///
  /// - Complexity: reads `/proc/thread-self/status`.
  public static var pinned: Pinned? {
    var byteCount: UInt64 = 0
    var isExempt = false
    // SAFETY: the results go to locals.
    let code = unsafe lab_facts_pinned(&byteCount, &isExempt)
    return code == 0 ? Pinned(byteCount: byteCount, isExempt: isExempt) : nil
  }

  /// The system's pool of explicit huge pages of one size.
  public struct HugePagePool: Equatable, Sendable {
    /// How many pages the pool has.
    public let totalCount: UInt64
    /// How many of them are neither in use nor promised.
    public let freeCount: UInt64
  }

  /// The pool of explicit huge pages of `size`; nil when the system has no such pages.
  ///
  /// - Complexity: reads three files of `/sys`.
  public static func hugePagePool(_ size: PageSize) -> HugePagePool? {
    var total: UInt64 = 0
    var free: UInt64 = 0
    // SAFETY: the results go to locals.
    let code = unsafe lab_facts_huge_pages(UInt32(size.rawValue), &total, &free)
    return code == 0 ? HugePagePool(totalCount: total, freeCount: free) : nil
  }
}
