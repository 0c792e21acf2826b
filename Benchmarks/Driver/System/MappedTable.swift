import CLabDriver

/// A table in pages of its own, resident from the start. The driver's own data thus lies outside the allocator under
/// test, and outside the measured memory.
@safe struct MappedTable<Element: BitwiseCopyable>: ~Copyable {
  let count: Int
  private let base: UnsafeMutablePointer<Element>

  /// `count` elements, all bytes zero.
  init(count: Int) {
    self.count = count
    let byteCount = max(1, count) * MemoryLayout<Element>.stride
    // SAFETY: a new mapping that nothing else refers to. Zero is a valid element, or the element is written first.
    unsafe base = mapped(byteCount).bindMemory(to: Element.self, capacity: count)
  }

  // SAFETY: the mapping is this table's own, of this length.
  deinit { unsafe munmap(base, max(1, count) * MemoryLayout<Element>.stride) }

  /// The element at `index`, which the caller keeps in bounds.
  subscript(index: Int) -> Element {
    // SAFETY: the caller keeps the index in bounds, as the subscript asks.
    @inline(__always) get { unsafe base[index] }
    @inline(__always) nonmutating set { unsafe base[index] = newValue }
  }

  /// The address of an element, for threads to share.
  // SAFETY: forming the address touches nothing.
  func address(of index: Int) -> UnsafeMutablePointer<Element> { unsafe base + index }
}

/// Fresh resident pages, all zero.
func mapped(_ byteCount: Int) -> UnsafeMutableRawPointer {
  // SAFETY: a new mapping.
  let start = unsafe mmap(
    nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0)
  guard let start = unsafe start, unsafe lab_mapping_failed(start) == 0 else {
    stop("cannot map memory of its own", number: byteCount, "bytes")
  }
  // SAFETY: the mapping stays until its holder unmaps it.
  return unsafe start
}
