public import Addresses
public import Assertions

// The only file besides Table.swift that touches memory: an array of plain values in a frame.

/// An array of plain values in a frame, or in a part of one.
@frozen
@usableFromInline
struct FrameArray<Element: BitwiseCopyable> {
  /// The address of the first element.
  @usableFromInline let start: VirtAddr
  /// How many elements fit.
  @usableFromInline let capacity: Int

  /// The array in `byteCount` bytes of a frame, whose only holder is the caller. The bytes start at a multiple of the
  /// element's alignment; the elements are undefined until they are set.
  @inlinable @inline(__always)
  init(at start: VirtAddr, byteCount: Int) {
    self.start = start
    capacity = byteCount / MemoryLayout<Element>.stride
  }

  @inlinable @inline(__always)
  var elements: UnsafeMutablePointer<Element> {
    // SAFETY: a mapper covers the frame, nobody else uses these bytes, and their start is aligned.
    unsafe start.unsafePointer.assumingMemoryBound(to: Element.self)
  }

  /// The element at an index, which must be below the capacity.
  @inlinable @inline(__always)
  subscript(index: Int) -> Element {
    get {
      require(
        index >= 0 && index < capacity, "an index must lie in the frame, found", UInt64(truncatingIfNeeded: index))
      // SAFETY: the index is below the capacity.
      return unsafe elements[index]
    }
    nonmutating set {
      require(
        index >= 0 && index < capacity, "an index must lie in the frame, found", UInt64(truncatingIfNeeded: index))
      // SAFETY: the index is below the capacity.
      unsafe elements[index] = newValue
    }
  }

  /// Moves elements; both places must lie in the array and may overlap.
  @inlinable
  func move(from source: Int, to destination: Int, count: Int) {
    require(
      source >= 0 && destination >= 0 && count >= 0 && max(source, destination) + count <= capacity,
      "moved elements must lie in the frame, found", UInt64(truncatingIfNeeded: count))
    // SAFETY: both ranges lie in the array.
    unsafe (elements + destination).update(from: elements + source, count: count)
  }

  /// Copies the first `count` elements of `other`, from `source` on, to `destination`; both places must lie in their
  /// arrays, which must not overlap.
  @inlinable
  func copy(_ count: Int, from other: FrameArray, at source: Int, to destination: Int) {
    require(
      source >= 0 && destination >= 0 && count >= 0 && source + count <= other.capacity
        && destination + count <= capacity, "copied elements must lie in the frame, found",
      UInt64(truncatingIfNeeded: count))
    // SAFETY: both ranges lie in their arrays.
    unsafe (elements + destination).update(from: other.elements + source, count: count)
  }
}
