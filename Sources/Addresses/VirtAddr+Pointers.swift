// The one place where addresses become pointers and pointers become addresses. All other code that touches memory goes
// through these functions, so a reader who looks for unsafe code starts here.

extension VirtAddr {
  /// The address of a pointer.
  @inlinable public init(_ pointer: UnsafeRawPointer) {
    self.init(UInt(bitPattern: pointer))
  }

  /// The address of a pointer, ``Addr/null`` for nil.
  @inlinable public init(_ pointer: UnsafeRawPointer?) {
    self.init(UInt(bitPattern: pointer))
  }

  /// The address as a pointer, nil for ``Addr/null``.
  ///
  /// - Safety: The caller promises that the memory it reaches through the pointer is mapped and its own to use.
  @unsafe @inlinable public var pointer: UnsafeMutableRawPointer? {
    unsafe UnsafeMutableRawPointer(bitPattern: raw)
  }

  /// The address as a pointer, without a test for null.
  ///
  /// - Safety: The address must not be null; the memory must be mapped and the caller's own to use.
  @unsafe @inlinable public var unsafePointer: UnsafeMutableRawPointer {
    unsafe UnsafeMutableRawPointer(bitPattern: raw).unsafelyUnwrapped
  }
}
