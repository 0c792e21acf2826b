extension Profile {
  /// The same profile on another number of threads.
  ///
  /// - Throws: ``ProfileError`` when a population belongs to a thread that would not exist.
  public func with(threadCount: Int) throws(ProfileError) -> Profile {
    if case .phases(let populations, _, _) = behaviour {
      let ranges = populations.flatMap { [$0.allocatingThreads, $0.freeingThreads] }
      let needed = (ranges.compactMap { $0?.upperBound }.max() ?? -1) + 1
      guard threadCount >= needed else {
        throw ProfileError(
          name, line: nil,
          "gives work to \(needed) threads by number; --threads must be \(needed)…256, found \(threadCount)")
      }
    }
    return Profile(
      name: name, summary: summary, threadCount: threadCount, turnLength: turnLength, behaviour: behaviour)
  }
}
