/// The descriptors of a heap's granules, as they were read.
struct GranuleTable {
  /// A row of granules whose descriptors lie behind each other in the image.
  struct Row {
    let first: UInt64
    let count: Int
    /// Where the first descriptor lies in the image.
    let offset: Int
  }
  let rows: [Row]
  let image: MemoryImage
  let recordByteCount: Int
  let classSizes: [UInt64]

  /// The offset in the image of a granule's descriptor; nil for a granule that was not committed.
  func offset(of number: UInt64) -> Int? {
    guard let row = rows.first(where: { number >= $0.first && number < $0.first + UInt64($0.count) }) else {
      return nil
    }
    return row.offset + Int(number - row.first) * recordByteCount
  }
}

/// A reading, and the share of each granule that is in use.
public struct HeapSight: Sendable {
  public var reading: HeapReading
  /// Of each committed granule in address order, the share in use from 0 to 255: rounded up, a single byte counts.
  public var shares: [UInt8] = []
  /// The bytes of a granule.
  public var granuleByteCount = 1 << 16

  init(process: Int32) { reading = HeapReading(process: process) }

  /// The heap as a picture, one cell for each granule.
  public var picture: HeapPicture { HeapPicture(shares: shares, cellByteCount: UInt64(granuleByteCount)) }
}

extension HeapReader {
  /// No heap has more: 1 TiB.
  private static let granuleMaximum: UInt64 = 1 << 24

  /// Reads the descriptors of all granules and counts them.
  func readGranules(_ committedEnd: UInt64, into sight: inout HeapSight) throws(TelemetryError) -> GranuleTable {
    let words = [places.remote, places.first, places.second]
    let halves = [
      places.resident, places.use, places.classNumber, places.pending, places.target, places.carved, places.absent,
      places.startPages,
    ]
    guard committedEnd <= min(places.granuleCount, Self.granuleMaximum), places.granuleByteCount == 1 << 16,
      places.pageByteCount == 1 << 12, places.firstMagazine <= places.classCount, places.classCount <= 256,
      places.leastChunkShift >= 8, places.recordByteCount <= 1 << 12,
      words.allSatisfy({ $0 + 8 <= places.recordByteCount }), halves.allSatisfy({ $0 + 2 <= places.recordByteCount })
    else { throw .impossible(memory.process) }
    let sizes = try memory.image(at: places.classSizes, byteCount: places.classCount * 2)
    let classSizes = (0..<places.classCount).map { UInt64(sizes.load($0 * 2, as: UInt16.self)) }
    guard !classSizes.contains(0) else { throw .impossible(memory.process) }
    let chunkEnds = try memory.image(
      at: places.chunkTable, byteCount: (Int(committedEnd >> places.leastChunkShift) + 1) * 4)
    var rows: [GranuleTable.Row] = []
    var ranges: [ProcessMemory.Range] = []
    var offset = 0
    var number = places.firstGranule
    while number < committedEnd {
      let word = Int(places.chunkStart(around: number) >> places.leastChunkShift)
      let end = min(UInt64(chunkEnds.load(word * 4, as: UInt32.self)), places.chunkEnd(around: number))
      if end > number {
        rows.append(GranuleTable.Row(first: number, count: Int(end - number), offset: offset))
        let byteCount = (end - number) * UInt64(places.recordByteCount)
        ranges.append(
          ProcessMemory.Range(
            address: places.table + number * UInt64(places.recordByteCount), byteCount: byteCount))
        offset += Int(byteCount)
      }
      number = places.chunkEnd(around: number)
    }
    let image = try memory.image(of: ranges)
    let table = GranuleTable(
      rows: rows, image: image, recordByteCount: places.recordByteCount, classSizes: classSizes)
    count(table, into: &sight)
    return table
  }

  private func count(_ table: GranuleTable, into sight: inout HeapSight) {
    var classes = table.classSizes.map { HeapReading.SizeClass(blockByteCount: $0) }
    var reading = sight.reading
    let granuleCount = table.image.bytes.count / places.recordByteCount
    var shares = [UInt8](repeating: 0, count: granuleCount)
    for index in 0..<granuleCount {
      let at = index * places.recordByteCount
      let use = table.image.bytes[at + places.use]
      let resident =
        UInt64(table.image.load(at + places.resident, as: UInt16.self).nonzeroBitCount * places.pageByteCount)
      reading.committedByteCount += UInt64(places.granuleByteCount)
      if places.spanUses.contains(use) {
        let number = Int(table.image.bytes[at + places.classNumber])
        guard number < classes.count else {
          reading.isSteady = false
          continue
        }
        let (used, free) = usedAndFree(table.image, at, steady: &reading.isSteady)
        classes[number].spanCount += 1
        classes[number].usedCount += used
        classes[number].freeCount += free
        classes[number].residentByteCount += resident
        reading.spanCount += 1
        reading.spanResidentByteCount += resident
        let bytes = used * classes[number].blockByteCount
        let pinned = used * pageCount(ofBlock: classes[number].blockByteCount) * UInt64(places.pageByteCount)
        reading.spareByteCount += resident - min(resident, pinned)
        reading.liveByteCount += bytes
        fill(&shares, from: UInt64(index) << 16, byteCount: bytes)
      } else if use == places.arenaUse {
        reading.arenaResidentByteCount += resident
        for entry in [places.first, places.second] {
          let word: UInt64 = table.image.load(at + entry)
          if word != 0 {
            reading.largeCount += 1
            fill(&shares, from: UInt64(index) << 16 + (word & 0xFFFE), byteCount: word >> places.sizeShift)
          }
        }
        let starts: UInt16 = table.image.load(at + places.startPages)
        reading.largeCount += UInt64(starts.nonzeroBitCount)
        for page in 0..<16 where starts >> UInt16(page) & 1 != 0 {
          // The size stands in the block's header, which is not read: more than a page.
          let start = UInt64(index) << 16 + UInt64(page * places.pageByteCount)
          fill(&shares, from: start, byteCount: UInt64(places.pageByteCount))
        }
      } else if use == places.metadataUse {
        shares[index] = 255
      } else {
        reading.freeResidentByteCount += resident
      }
    }
    reading.classes = classes
    sight.reading = reading
    sight.shares = shares
  }

  /// How many of a span's blocks are in use or on a thread's list, and how many are free.
  func usedAndFree(_ image: MemoryImage, _ at: Int, steady: inout Bool) -> (used: UInt64, free: UInt64) {
    let remote: UInt64 = image.load(at + places.remote)
    let target = Int(image.load(at + places.target, as: Int16.self))
    let owned = target - Int(image.load(at + places.pending, as: Int16.self))
    let free = UInt64(max(0, owned)) + (remote >> places.remoteShift & places.remoteMask)
    let carved = UInt64(image.load(at + places.carved, as: UInt16.self))
    if owned < 0 || free > carved { steady = false }
    return (carved - min(free, carved), min(free, carved))
  }

  /// How many pages a block of a span can lie in. Its place is a multiple of its size.
  private func pageCount(ofBlock byteCount: UInt64) -> UInt64 {
    let page = UInt64(places.pageByteCount)
    return (byteCount + page - 1) / page + (page % byteCount == 0 || byteCount % page == 0 ? 0 : 1)
  }

  /// Adds a block to the shares of the granules that it lies in. A granule is never more than full.
  private func fill(_ shares: inout [UInt8], from start: UInt64, byteCount: UInt64) {
    let size = UInt64(places.granuleByteCount)
    var position = start
    let end = min(start + min(byteCount, TelemetryWords.wordBound), UInt64(shares.count) * size)
    while position < end {
      let next = min(end, (position / size + 1) * size)
      let index = Int(position / size)
      shares[index] = UInt8(min(255, UInt64(shares[index]) + ((next - position) * 255 + size - 1) / size))
      position = next
    }
  }
}
