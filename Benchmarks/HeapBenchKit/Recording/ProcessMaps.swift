/// What code a process had mapped at a moment: the executable ranges of `/proc/PID/maps`.
struct ProcessMaps {
  /// A range of a file's code.
  struct Range {
    let addresses: Swift.Range<UInt64>
    let fileOffset: UInt64
    let path: String
  }

  /// The ticks of the moment.
  let ticks: UInt64
  /// The ranges, by address.
  let ranges: [Range]

  /// Reads the text of a maps file.
  init(_ text: String, ticks: UInt64) {
    self.ticks = ticks
    ranges = text.split(separator: "\n").compactMap { line in
      // start-end rwxp offset device inode path
      let words = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
      guard words.count == 6, words[1].contains("x") else { return nil }
      let ends = words[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
      guard ends.count == 2, ends[0] < ends[1], let offset = UInt64(words[2], radix: 16) else { return nil }
      let path = words[5].drop { $0 == " " }
      return Range(addresses: ends[0]..<ends[1], fileOffset: offset, path: String(path))
    }
  }

  /// The range with an address; nil for code of no file.
  func range(of address: UInt64) -> Range? {
    // The ranges ascend.
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].addresses.upperBound <= address { low = middle + 1 } else { high = middle }
    }
    guard low < ranges.count, ranges[low].addresses.contains(address) else { return nil }
    return ranges[low]
  }
}
