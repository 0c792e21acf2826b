/// Operations that several threads divide among themselves.
struct ThreadShares {
  let operationCount: Int
  let threadCount: Int

  /// A thread's share of the operations; the first threads take one more where the division leaves a rest.
  func operationCount(of thread: Int) -> Int {
    operationCount / threadCount + (thread < operationCount % threadCount ? 1 : 0)
  }
}

/// The work that several threads divide among themselves: operations on blocks of these sizes.
struct ThreadWork {
  private let shares: ThreadShares
  let sizes: SizeRange

  init(operationCount: Int, threadCount: Int, sizes: SizeRange) {
    shares = ThreadShares(operationCount: operationCount, threadCount: threadCount)
    self.sizes = sizes
  }

  var operationCount: Int { shares.operationCount }

  var threadCount: Int { shares.threadCount }

  /// A thread's share of the operations.
  func operationCount(of thread: Int) -> Int { shares.operationCount(of: thread) }
}
