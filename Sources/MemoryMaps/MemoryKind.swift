/// What a boot loader says about a range of physical memory, from the least to the most strict.
///
/// Where ranges overlap, the stricter kind wins: memory that one source calls reserved is not used because another
/// calls it usable. Memory that can be reclaimed later is less strict than memory that never can.
@frozen
public enum MemoryKind: UInt8, Comparable, Sendable {
  /// Free to use.
  case usable
  /// Holds ACPI tables; usable once they have been read.
  case acpiReclaimable
  /// Holds boot loader data: modules, its own tables; usable once they have been read.
  case bootloader
  /// Holds the kernel's image.
  case kernel
  /// Preserved by the firmware across sleep.
  case acpiNVS
  /// Not memory, or not ours.
  case reserved
  /// Found to be faulty.
  case bad

  @inlinable public static func < (left: MemoryKind, right: MemoryKind) -> Bool { left.rawValue < right.rawValue }

  /// Whether it can become usable: ACPI tables and boot loader data.
  @inlinable public var isReclaimable: Bool { self == .acpiReclaimable || self == .bootloader }

  /// Whether it is memory that is or may become this system's: usable, reclaimable, or the kernel's own.
  @inlinable public var isMemory: Bool { self <= .kernel }
}
