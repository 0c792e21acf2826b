public import Addresses

/// Invalidates cached translations by the tag of their address space: INVPCID on x86-64, TLBI with an ASID on AArch64,
/// SFENCE.VMA with rs2 on RISC-V; on every processor that may hold them.
public protocol TaggedTLB: ~Copyable {
  /// Invalidates `pageCount` pages of 4 KiB from `start` on under a tag, including cached table entries on the path to
  /// them: INVPCID type 0, TLBI VAE1IS.
  mutating func invalidate(_ start: VirtAddr, pageCount: UInt64, of tag: AddressSpaceTag)

  /// Invalidates everything cached under a tag, except global translations: INVPCID type 1, TLBI ASIDE1IS.
  mutating func invalidateAll(of tag: AddressSpaceTag)

  /// Invalidates `pageCount` pages of 4 KiB from `start` on under every tag, and global ones: TLBI VAAE1IS, SFENCE.VMA
  /// with rs2 = x0. On x86-64, INVLPG reaches global translations and one tag; those of other tags take INVPCID type 2.
  mutating func invalidateGlobal(_ start: VirtAddr, pageCount: UInt64)

  /// Invalidates everything cached under every tag, and global translations: INVPCID type 2, TLBI VMALLE1IS.
  mutating func invalidateEverything()
}

/// A tagged TLB as the flushes of one address space's tables see it.
@frozen
public struct TaggedInvalidator<TLB: TaggedTLB & ~Copyable>: ~Copyable, TLBInvalidator {
  /// The TLB.
  public var tlb: TLB

  /// The tag whose translations the flushes invalidate; nil for all tags and global translations.
  public let tag: AddressSpaceTag?

  /// Flushes for an address space with a tag of its own.
  @inlinable public init(_ tlb: consuming TLB, tag: AddressSpaceTag) {
    self.tlb = tlb
    self.tag = tag
  }

  /// Flushes for mappings that several address spaces have, such as those of the kernel half.
  @inlinable public init(everyTagOf tlb: consuming TLB) {
    self.tlb = tlb
    self.tag = nil
  }

  @inlinable
  public mutating func invalidate(_ start: VirtAddr, pageCount: UInt64) {
    if let tag {
      tlb.invalidate(start, pageCount: pageCount, of: tag)
    } else {
      tlb.invalidateGlobal(start, pageCount: pageCount)
    }
  }

  @inlinable
  public mutating func invalidateAll() {
    if let tag { tlb.invalidateAll(of: tag) } else { tlb.invalidateEverything() }
  }
}
