public import Addresses
public import Assertions
public import MemoryProtocols

// The only file besides Table.swift that touches memory: an array of plain values that fills a frame.

/// An array of plain values in a frame.
@frozen
@usableFromInline
struct FrameArray<Element: BitwiseCopyable> {
  /// The address of the first element.
  @usableFromInline let start: VirtAddr
  /// How many elements fit.
  @usableFromInline let capacity: Int

  /// The array in `frame`, whose only holder is the caller; its elements are undefined until they are set.
  @inlinable
  init(in frame: Page<PhysAddr>, _ mapper: borrowing some PhysMapper) {
    start = mapper.physToVirt(frame.start)
    capacity = Int(frame.size.byteCount) / MemoryLayout<Element>.stride
  }

  @inlinable
  var elements: UnsafeMutablePointer<Element> {
    // SAFETY: the mapper covers the frame, nobody else uses it, and a frame is aligned for any element.
    unsafe start.unsafePointer.assumingMemoryBound(to: Element.self)
  }

  /// The element at an index, which must be below the capacity.
  @inlinable
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

  /// Moves elements; both places must lie in the frame and may overlap.
  @inlinable
  func move(from source: Int, to destination: Int, count: Int) {
    require(
      count >= 0 && max(source, destination) + count <= capacity, "moved elements must lie in the frame, found",
      UInt64(truncatingIfNeeded: count))
    // SAFETY: both ranges lie in the frame.
    unsafe (elements + destination).update(from: elements + source, count: count)
  }
}
