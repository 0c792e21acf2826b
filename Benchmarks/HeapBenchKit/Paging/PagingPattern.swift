import Addresses

/// A pattern in which programs touch their memory.
enum PagingPattern: String, CaseIterable, Sendable {
  /// Every page of 64 MiB, from the first to the last.
  case sequential
  /// 400 random pages of 128 MiB.
  case sparse
  /// Nearly all pages of 16 MiB, in random order, and 200 random pages in the 96 MiB around it.
  case hotSet = "hot set"
  /// A stack that grows to 8 MiB in calls of various depths.
  case stack
  /// 32 MiB, and eight children, one after another, that each write a twentieth of it and exit.
  case forks

  /// What the pattern stands for, for the report.
  var explanation: String {
    switch self {
    case .sequential: "64 MiB from the first page to the last: a file read in, an array filled"
    case .sparse: "400 pages at random in 128 MiB: a hash table with few entries"
    case .hotSet: "16 MiB at random until dense, 200 stray pages in 96 MiB around it: a cache"
    case .stack: "a stack that grows to 8 MiB"
    case .forks: "32 MiB, and eight forked children that write 5 % of it each: a snapshotting store"
    }
  }

  /// Runs the pattern in a process.
  func run(_ process: inout PagingProcess) throws {
    var random = ReproducibleRandom(seed: 42)
    let start = VirtAddr(0x1_0000_0000)
    switch self {
    case .sequential:
      try process.add(AddrRange(start: start, byteCount: 64 << 20))
      for page in 0..<UInt(16_384) {
        try process.write(start + page * 4096)
      }
    case .sparse:
      try process.add(AddrRange(start: start, byteCount: 128 << 20))
      for _ in 0..<400 {
        try process.write(start + random.page(below: 32_768))
      }
    case .hotSet:
      try process.add(AddrRange(start: start, byteCount: 96 << 20))
      for _ in 0..<12_288 {
        try process.write(start + (40 << 20) + random.page(below: 4096))
      }
      for _ in 0..<200 {
        try process.write(start + random.page(below: 24_576))
      }
    case .stack:
      let reach = AddrRange(start: start, byteCount: 16 << 20)
      try process.addStack(reach)
      for _ in 0..<2048 {
        try process.write(reach.end - 4096 - random.page(below: random.below(2048) + 1))
      }
    case .forks:
      try process.add(AddrRange(start: start, byteCount: 32 << 20))
      for page in 0..<UInt(8192) {
        try process.write(start + page * 4096)
      }
      for _ in 0..<8 {
        try process.forkChild { write in
          for _ in 0..<410 {
            try write(start + random.page(below: 8192))
          }
        }
      }
    }
  }
}

extension ReproducibleRandom {
  /// The byte offset of a random page among `count`.
  fileprivate mutating func page(below count: UInt64) -> UInt { UInt(below(count)) * 4096 }
}
