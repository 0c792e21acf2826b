import CLabDriver

/// The arguments of this process, read from the kernel: Embedded Swift has no `CommandLine`.
struct CommandArguments: ~Copyable {
  private let bytes = MappedTable<UInt8>(count: 1 << 16)
  private let byteCount: Int
  private var cursor = 0

  init() {
    let descriptor = openFile("/proc/self/cmdline")
    // SAFETY: the table has `bytes.count` bytes, and the read stays below that.
    let length = unsafe read(descriptor, bytes.address(of: 0), bytes.count - 1)
    close(descriptor)
    guard length > 0 else { stop("cannot read its arguments from /proc/self/cmdline") }
    byteCount = length
  }

  /// The next argument; nil after the last.
  mutating func next() -> Text? {
    guard cursor < byteCount else { return nil }
    let start = cursor
    while bytes[cursor] != 0 { cursor += 1 }
    cursor += 1
    // SAFETY: the table lives until `main` ends, and nothing uses the arguments after that.
    return unsafe Text(UnsafePointer(bytes.address(of: start)), count: cursor - start - 1)
  }

  /// The number after `option`. Ends the process unless it is at least 1.
  mutating func number(after option: Text) -> Int {
    guard let word = next() else { stop("needs a number after", option) }
    guard let number = word.positiveNumber else { stop("needs a number from 1 after its option, found", word) }
    return number
  }
}
