extension HeapReader {
  /// Counts what the arenas have.
  func readArenas(_ words: Movements, into reading: inout HeapReading) throws(TelemetryError) {
    for arena in words.arenas {
      reading.arenaByteCount += arena[0]
      reading.largeByteCount += arena[1]
    }
    reading.liveByteCount += reading.largeByteCount
    // A block of an arena shares its first and its last page at most.
    let free = reading.arenaResidentByteCount - min(reading.arenaResidentByteCount, reading.largeByteCount)
    reading.spareByteCount += free - min(free, reading.largeCount * 2 * UInt64(places.pageByteCount))
  }

  /// Counts the free blocks that a thread heap has at hand.
  func readHeap(_ heap: UInt64, _ table: GranuleTable, into reading: inout HeapReading) throws(TelemetryError) {
    let end = max(
      places.active + places.classCount * 8, places.current + places.classCount * 4,
      places.magazineRooms + places.classCount * 2, places.magazineLimits + places.classCount, places.cached + 8,
      places.batches + places.batchCount * places.batchStride)
    guard end <= 1 << 16, places.batchStride >= 8 else { throw .impossible(memory.process) }
    let record = try memory.image(at: heap, byteCount: end)
    let cached: UInt64 = record.load(places.cached)
    guard cached < Self.figureBound else { throw .changed(memory.process) }
    reading.cachedByteCount += cached
    for index in places.firstMagazine..<places.classCount {
      let count =
        Int(record.bytes[places.magazineLimits + index])
        - Int(record.load(places.magazineRooms + index * 2, as: Int16.self))
      if count < 0 { reading.isSteady = false }
      reading.classes[index].listedCount += UInt64(max(0, count))
      reading.magazineByteCount += UInt64(max(0, count)) * table.classSizes[index]
    }
    countBatches(record, table, into: &reading)
    try countActive(record, table, into: &reading)
  }

  /// A batch's word has the granule of its span in its lower half, and higher up a byte with the number of its blocks.
  private func countBatches(_ record: MemoryImage, _ table: GranuleTable, into reading: inout HeapReading) {
    for index in 0..<places.batchCount {
      let word: UInt64 = record.load(places.batches + index * places.batchStride)
      let count = word >> places.batchShift & 0xFF
      guard count != 0 else { continue }
      guard let at = table.offset(of: word & UInt64(UInt32.max)) else {
        reading.isSteady = false
        continue
      }
      let number = Int(table.image.bytes[at + places.classNumber])
      guard number < table.classSizes.count else { continue }
      reading.classes[number].listedCount += count
      reading.batchByteCount += count * table.classSizes[number]
    }
  }

  /// Counts the blocks of the active lists. Only their links tell: the pages with blocks of the current spans are read,
  /// all at once.
  private func countActive(
    _ record: MemoryImage, _ table: GranuleTable, into reading: inout HeapReading
  ) throws(TelemetryError) {
    var lists: [ActiveList] = []
    var ranges: [ProcessMemory.Range] = []
    var offset = 0
    for index in 0..<min(places.firstMagazine, places.classCount) {
      let block: UInt64 = record.load(places.active + index * 8)
      let granule = UInt64(record.load(places.current + index * 4, as: UInt32.self))
      guard block != 0, granule != 0, let at = table.offset(of: granule) else { continue }
      let absent: UInt16 = table.image.load(at + places.absent)
      let resident: UInt16 = table.image.load(at + places.resident)
      var list = ActiveList(
        start: places.base + granule * UInt64(places.granuleByteCount), index: index,
        size: table.classSizes[index], most: Int(table.image.load(at + places.carved, as: UInt16.self)), first: block,
        pages: [])
      // A page of an absent block is not carved, and may have no memory: reading would make the system map it.
      for page in 0..<16 {
        let isPresent = absent >> UInt16(page) & 1 == 0 || resident >> UInt16(page) & 1 == 1
        list.pages.append(isPresent ? offset : nil)
        guard isPresent else { continue }
        let address = list.start + UInt64(page * places.pageByteCount)
        if let last = ranges.last, last.address + last.byteCount == address {
          ranges[ranges.count - 1].byteCount += UInt64(places.pageByteCount)
        } else {
          ranges.append(ProcessMemory.Range(address: address, byteCount: UInt64(places.pageByteCount)))
        }
        offset += places.pageByteCount
      }
      lists.append(list)
    }
    let image = try memory.image(of: ranges)
    for list in lists {
      let count = UInt64(list.count(in: image, places))
      reading.classes[list.index].listedCount += count
      reading.activeByteCount += count * list.size
    }
  }
}

/// A list of blocks to allocate next, all of one span.
private struct ActiveList {
  let start: UInt64
  let index: Int
  let size: UInt64
  let most: Int
  let first: UInt64
  /// Where each page of the span lies in the image that was read, nil for a page that was not.
  var pages: [Int?]

  /// How many blocks the list has. A word that is not a block of the span, or a block without the mark, ends it, as it
  /// does for the library's own count.
  func count(in image: MemoryImage, _ places: HeapPlaces) -> Int {
    var count = 0
    var block = first
    while count < most, block &- start < UInt64(places.granuleByteCount) {
      let offset = block - start
      let page = Int(offset) / places.pageByteCount
      guard offset % size == 0, offset + size <= UInt64(places.granuleByteCount), let at = pages[page] else { break }
      let inImage = at + Int(offset) % places.pageByteCount
      // A block has 16 bytes or more and starts at a multiple of 16: both words lie in its first page.
      guard image.load(inImage + 8, as: UInt64.self) == places.mark else { break }
      count += 1
      block = image.load(inImage)
    }
    return count
  }
}
