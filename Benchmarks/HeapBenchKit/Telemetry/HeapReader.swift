/// Reads the heap of a process from outside: the granule table is its statistics.
///
/// The figures are computed as `heaplab_read_statistics` computes them inside, from the same words, and are equal to the
/// byte when the process rests. What moves meanwhile shows: words that every slow path changes are read before and
/// after. A count that a half-finished change made impossible is clipped, and the reading is not steady.
public struct HeapReader {
  let memory: ProcessMemory
  let places: HeapPlaces
  let samplePlaces: SamplePlaces

  /// No process has more bytes or a higher address: what it shows is not trusted, and no sum of figures may overflow.
  static let figureBound: UInt64 = 1 << 47

  /// How often a reading that moved is repeated.
  private static let attemptMaximum = 3

  /// A reader of a process, which can read it again and again until it ends or calls exec.
  public init(process: Int32) throws(TelemetryError) {
    memory = ProcessMemory(process: process)
    let words = try TelemetryWords(of: memory)
    places = try HeapPlaces(words)
    samplePlaces = try SamplePlaces(words)
  }

  /// The figures now, and the share of each granule that is in use.
  /// - Complexity: O(n) in the granules that were ever used, plus the free blocks on threads' lists.
  public func read() throws(TelemetryError) -> HeapSight {
    var sight: HeapSight?
    var failure = TelemetryError.changed(memory.process)
    for _ in 0..<Self.attemptMaximum {
      do throws(TelemetryError) {
        let new = try readOnce()
        if new.reading.isSteady { return new }
        sight = new
      } catch .changed {
        failure = .changed(memory.process)
      }
    }
    guard let sight else { throw failure }
    return sight
  }

  private func readOnce() throws(TelemetryError) -> HeapSight {
    let heaps = try heapAddresses()
    let before = try Movements(of: self, heaps)
    var sight = HeapSight(process: memory.process)
    let table = try readGranules(before.committedEnd, into: &sight)
    try readArenas(before, into: &sight.reading)
    for heap in heaps { try readHeap(heap, table, into: &sight.reading) }
    let after = try Movements(of: self, try heapAddresses())
    sight.reading.count(after, heapCount: heaps.count)
    if before != after { sight.reading.isSteady = false }
    sight.reading.classes.removeAll { $0.spanCount == 0 }
    return sight
  }

  /// The records of all thread heaps: the shared one, and the list from the newest on.
  func heapAddresses() throws(TelemetryError) -> [UInt64] {
    var heaps: [UInt64] = []
    let first = try memory.words(at: [places.sharedHeap, places.newestHeap])
    if first[0] != 0 { heaps.append(first[0]) }
    var next = first[1]
    while next != 0 {
      heaps.append(next)
      guard heaps.count < HeapPlaces.heapMaximum, next < Self.figureBound, first[0] < Self.figureBound else {
        throw .changed(memory.process)
      }
      next = try memory.words(at: [next + UInt64(places.older)])[0]
    }
    return heaps
  }
}

/// The words that slow paths change. Two equal sets mean that nothing happened there in between.
struct Movements: Equatable {
  let committedEnd: UInt64
  let quota: UInt64
  let purged: UInt64
  let commits: UInt64
  let refused: UInt64
  let mappedCount: UInt64
  let mapped: UInt64
  let kept: UInt64
  let regrets: UInt64
  let slowPaths: UInt64
  /// Of each arena, its ranges and the bytes in use.
  let arenas: [[UInt64]]
  let heaps: [UInt64]

  init(of reader: HeapReader, _ heaps: [UInt64]) throws(TelemetryError) {
    let (memory, places) = (reader.memory, reader.places)
    self.heaps = heaps
    let records = try memory.words(at: (0..<places.arenaCount).map { places.arenas + UInt64($0) * 8 })
    arenas = try records.filter { $0 != 0 }.map { record throws(TelemetryError) in
      try memory.words(at: [
        record + UInt64(places.arenaExtent), record + UInt64(places.arenaCounted),
        // The count has 32 bits, and its neighbour shares the word.
        record + UInt64(places.arenaRegrets),
      ])
    }
    let heapWords = try memory.words(
      at: heaps.flatMap { [$0 + UInt64(places.slowPaths), $0 + UInt64(places.heapRegrets)] })
    slowPaths = stride(from: 0, to: heapWords.count, by: 2).reduce(0) { $0 &+ heapWords[$1] }
    let words = try memory.words(at: [
      places.committedEnd, places.quota, places.purged, places.commits, places.refused, places.mappedCount,
      places.mapped, places.kept, places.spaceRegrets,
    ])
    (committedEnd, quota, purged, commits, refused) = (words[0], words[1], words[2], words[3], words[4])
    (mappedCount, mapped, kept) = (words[5], words[6], words[7])
    guard
      ([committedEnd, mapped, kept] + heaps + arenas.flatMap { $0.prefix(2) }).allSatisfy({
        $0 < HeapReader.figureBound
      })
    else { throw .changed(memory.process) }
    let heapRegrets = stride(from: 1, to: heapWords.count, by: 2).map { heapWords[$0] }
    regrets = ([words[8]] + arenas.map { $0[2] } + heapRegrets).reduce(0) { $0 &+ $1 & UInt64(UInt32.max) }
  }
}

extension HeapReading {
  /// Takes the figures that are words of their own.
  fileprivate mutating func count(_ words: Movements, heapCount: Int) {
    quotaByteCount = words.quota == .max ? nil : words.quota
    (mappedByteCount, mappedCount, keptByteCount) = (words.mapped, words.mappedCount, words.kept)
    (slowPathCount, commitCount, purgedByteCount) = (words.slowPaths, words.commits, words.purged)
    (regretCount, refusedCount) = (words.regrets, words.refused)
    self.heapCount = UInt64(heapCount)
    committedByteCount += keptByteCount
    let used = liveByteCount
    liveByteCount = used - min(used, threadByteCount)
    if used < threadByteCount || liveByteCount > committedByteCount { isSteady = false }
    liveByteCount += mappedByteCount
  }
}
