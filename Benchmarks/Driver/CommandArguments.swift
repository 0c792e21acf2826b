import CLabDriver

/// The words this process was started with, read from the kernel: Embedded Swift has no `CommandLine`.
struct CommandArguments: ~Copyable {
  private let bytes = MappedTable<UInt8>(count: 1 << 16)
  private let byteCount: Int
  private var cursor = 0

  init() {
    let descriptor = openFile("/proc/self/cmdline")
    // SAFETY: the table has so many bytes.
    let length = unsafe read(descriptor, bytes.address(of: 0), bytes.count - 1)
    close(descriptor)
    guard length > 0 else { stop("cannot read its arguments from /proc/self/cmdline") }
    byteCount = length
  }

  /// The next word, or nil after the last.
  mutating func next() -> Text? {
    guard cursor < byteCount else { return nil }
    let start = cursor
    while bytes[cursor] != 0 { cursor += 1 }
    cursor += 1
    // SAFETY: the table outlives the process's use of its arguments, which end with `main`.
    return unsafe Text(UnsafePointer(bytes.address(of: start)), count: cursor - start - 1)
  }

  /// The word after `option`, a number above 0.
  mutating func number(after option: Text) -> Int {
    guard let word = next() else { stop("needs a number after", option) }
    guard let number = word.positiveNumber else { stop("needs a number from 1 after its option, found", word) }
    return number
  }
}
