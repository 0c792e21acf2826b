import CLabDriver

/// A neighbour of what is measured: it maps memory, writes to each page and returns it, again and again. So the system
/// must clear pages, and change page tables, while others allocate.
enum MemoryPressure {
  static func run(_ arguments: inout CommandArguments) {
    guard let word = arguments.next(), let byteCount = word.positiveNumber else { stop("say how many bytes to press") }
    while true {
      // The pages are resident, and thus written, from the start.
      // SAFETY: the mapping is this loop's own.
      unsafe munmap(mapped(byteCount), byteCount)
    }
  }
}
