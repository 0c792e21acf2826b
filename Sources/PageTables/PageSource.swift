public import Addresses

// Where the pages of files and of shared memory come from. A source keeps them: a kernel's page cache. Address spaces
// ask it for a page when one is touched, and give the page back when they no longer map it.
//
// Frames are counted. The source is one holder of each of its frames, and every address space that maps one is another.
// So the source knows by a frame's count whether anybody maps it, and a space may map a frame that the source has
// dropped. A write to a page of a private region finds more than one holder and copies it.

/// The name of something whose pages regions show: a file, a piece of shared memory. Its ``PageSource`` assigns it.
@frozen
public struct MemoryObject: RawRepresentable, Equatable, Sendable, BitwiseCopyable {
  public let rawValue: UInt32

  @inlinable public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// No object.
  @inlinable public static var none: MemoryObject { MemoryObject(rawValue: 0) }
}

/// A run of an object's bytes.
@frozen
public struct ObjectRange: Equatable, Sendable {
  /// The object.
  public let object: MemoryObject
  /// The first byte; a multiple of 4 KiB.
  public let offset: UInt64
  /// How many bytes; a multiple of 4 KiB.
  public let byteCount: UInt64

  /// A part of an object; one page of 4 KiB by default.
  @inlinable public init(_ object: MemoryObject, offset: UInt64, byteCount: UInt64 = 4096) {
    self.object = object
    self.offset = offset
    self.byteCount = byteCount
  }
}

/// Why a source gives no page.
public enum PageRefusal: Error, Equatable, Sendable {
  /// The object has no such page: it lies past the end of a file, or could not be read.
  case noPage
  /// The page is on its way. The faulting thread waits, without the lock of its address space, and retries.
  case notYet
  /// The allocator has no frame for the page.
  case outOfFrames
}

/// Gives pages of memory objects to address spaces, and takes them back.
public protocol PageSource: ~Copyable {
  /// A part of an address space now shows these bytes: a region was added, or a fork copied one.
  ///
  /// The object must stay until as many bytes are closed as were opened.
  mutating func open(_ range: ObjectRange)

  /// A part of an address space no longer shows these bytes. All pages that it had of them were taken back.
  mutating func close(_ range: ObjectRange)

  /// The 4 KiB frame with a page of an object. The source keeps its own hold on it; the caller adds another.
  ///
  /// - Parameters:
  ///   - page: The page.
  ///   - access: What the page is wanted for. A write to a private region's page asks for a read: it writes to a copy.
  ///   - frames: The allocator of all frames.
  mutating func give(
    _ page: ObjectRange, for access: MemoryAccess, _ frames: inout some CountedFrames & ~Copyable
  ) throws(PageRefusal) -> Page<PhysAddr>

  /// A shared region no longer maps a page, and no processor reaches it there. The caller releases its hold afterwards.
  ///
  /// - Parameters:
  ///   - page: The page.
  ///   - frame: Its frame.
  ///   - wasWritten: Whether it may have been written through this mapping since it was given.
  ///   - frames: The allocator of all frames.
  mutating func take(
    _ page: ObjectRange, in frame: Page<PhysAddr>, wasWritten: Bool, _ frames: inout some CountedFrames & ~Copyable)
}
