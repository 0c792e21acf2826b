public import Addresses

/// What a mapping says about its page besides the frame.
///
/// A change of permissions keeps everything else. So do splitting, joining and copying on write, which also keep the
/// bits that these attributes do not name: protection keys and the bits that software may use.
@frozen
public struct PageAttributes: Hashable, Sendable, BitwiseCopyable {
  /// The accesses that are allowed.
  public var permissions: MemPerm
  /// How the processor caches the page.
  public var memoryType: MemoryType
  /// Whether the mapping is the same in every address space. A processor may then keep its translation across a change
  /// of the address space, so a flush must reach every tag (``TaggedTLB/invalidateGlobal(_:pageCount:)``).
  public var isGlobal: Bool
  /// Whether others than this machine's owner can read the page: the memory is not encrypted (SME, SEV), or the host
  /// shares it (TDX). Device memory always is. Without effect where the format has no ``X86MemoryEncryption``.
  public var isShared: Bool

  /// Attributes of normal, private memory of one address space, unless said otherwise.
  @inlinable
  public init(
    _ permissions: MemPerm, _ memoryType: MemoryType = .normal, isGlobal: Bool = false, isShared: Bool = false
  ) {
    self.permissions = permissions
    self.memoryType = memoryType
    self.isGlobal = isGlobal
    self.isShared = isShared
  }
}
