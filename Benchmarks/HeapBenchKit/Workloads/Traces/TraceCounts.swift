/// Counts of a trace's events, to be compared with the counts in its header.
struct TraceCounts {
  var allocate: UInt64 = 0
  var aligned: UInt64 = 0
  var zeroed: UInt64 = 0
  var reallocate: UInt64 = 0
  var free: UInt64 = 0
  /// The highest thread number plus one. It starts at 1, since the first events may come without a thread mark.
  var threads: UInt64 = 1
  private(set) var liveByteCount: UInt64 = 0
  private(set) var peakLiveByteCount: UInt64 = 0

  /// Counts the bytes of a new object.
  mutating func bytesBegin(_ byteCount: UInt64, at offset: Int) throws(TraceFileError.Finding) {
    let (sum, overflow) = liveByteCount.addingReportingOverflow(byteCount)
    guard !overflow else { throw .tooManyBytes(byteOffset: offset) }
    liveByteCount = sum
    peakLiveByteCount = max(peakLiveByteCount, sum)
  }

  /// Subtracts the bytes of a counted object that ends.
  mutating func bytesEnd(_ byteCount: UInt64) {
    liveByteCount -= byteCount
  }

  /// Throws unless every count in `header` equals the one here.
  ///
  /// Unknown names, which a newer recorder may have added, are not checked.
  func check(against header: [String: UInt64]) throws(TraceFileError.Finding) {
    for (key, found) in counted {
      if let promised = header[key], promised != found {
        throw .countDiffers(key: key, promised: promised, found: found)
      }
    }
  }

  /// All counts by name.
  var figures: [String: UInt64] { Dictionary(uniqueKeysWithValues: counted) }

  private var counted: [(String, UInt64)] {
    let objects = allocate + aligned + zeroed + reallocate
    return [
      ("events", objects + free), ("objects", objects), ("threads", threads), ("allocate", allocate),
      ("aligned", aligned), ("zeroed", zeroed), ("reallocate", reallocate), ("free", free),
      ("peakLiveBytes", peakLiveByteCount), ("endLiveBytes", liveByteCount),
    ]
  }
}
