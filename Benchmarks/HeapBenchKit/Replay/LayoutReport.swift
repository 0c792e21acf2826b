/// The result of a deterministic replay: where a policy places blocks. Equal seeds give equal reports, to the byte.
public struct LayoutReport: Hashable, Sendable, Codable {
  /// The heap's peak in bytes: from its start to the end of the highest block ever in use.
  public let peakHeapByteCount: UInt64
  /// The peak of the heap over the peak of the live bytes.
  public let blowUp: Double
  /// The peak of the heap over the compaction oracle's peak.
  public let blowUpOverOracle: Double
  /// The usable bytes granted over the bytes requested, summed over all requests.
  public let internalWaste: Double
  /// The share of requests that made the heap grow although enough bytes were free.
  public let forcedGrowthShare: Double
  /// Robson's bound for first fit, in bytes.
  public let robsonBoundByteCount: UInt64
  /// The request size S of all figures for one size.
  public let referenceRequestByteCount: UInt64
  /// The heap at evenly spaced moments and at the peak of the live bytes, in order of time.
  public let samples: [LayoutSample]
  /// The index of the worst sample: among those in which the heap had at least half of its final size, the one with the
  /// highest external fragmentation, and among equal ones the one with the largest share of free bytes.
  public let worstSampleIndex: Int
  /// The heap at the worst moment.
  public let worstPicture: HeapPicture
  /// The heap at each moment of ``samples``; empty once ``keepPicture(ofSample:)`` chose one.
  var pictures: [HeapPicture]
  /// The moment that the pictures of all policies share; nil before it is chosen.
  public private(set) var sharedSampleIndex: Int?
  /// The heap at the shared moment.
  public private(set) var sharedPicture: HeapPicture?

  /// The sample of the worst moment.
  public var worstSample: LayoutSample { samples[worstSampleIndex] }

  /// The report over `samples` and a picture for each of them.
  init(
    facts: WorkloadFacts, peakHeapByteCount: UInt64, grantedByteCount: UInt64, requestedByteCount: UInt64,
    growth: ForcedGrowth, samples: [LayoutSample], pictures: [HeapPicture]
  ) {
    self.peakHeapByteCount = peakHeapByteCount
    blowUp =
      MemoryRatios.blowUp(
        peakHeapByteCount: peakHeapByteCount, peakLiveByteCount: facts.peakLiveByteCount
      ).figure
    blowUpOverOracle =
      MemoryRatios.blowUp(
        peakHeapByteCount: peakHeapByteCount, peakLiveByteCount: facts.oraclePeakByteCount
      ).figure
    internalWaste =
      MemoryRatios.internalWaste(
        grantedByteCount: grantedByteCount, requestedByteCount: requestedByteCount
      ).figure
    forcedGrowthShare = growth.share.figure
    robsonBoundByteCount = UInt64(
      RobsonBound.byteCount(
        peakLiveByteCount: facts.oraclePeakByteCount, smallestByteCount: facts.smallestRequestByteCount,
        largestByteCount: facts.largestRequestByteCount
      ).rounded())
    referenceRequestByteCount = facts.referenceRequestByteCount
    self.samples = samples
    let grown = samples.indices.filter { samples[$0].extentByteCount >= peakHeapByteCount / 2 }
    // Where no hole is ever too short, this is the moment with the largest share of free bytes.
    worstSampleIndex = grown.max { samples[$0].badness < samples[$1].badness } ?? samples.count - 1
    worstPicture = pictures[worstSampleIndex]
    self.pictures = pictures
  }

  /// Keeps the picture of one moment, and forgets those of the others.
  mutating func keepPicture(ofSample index: Int) {
    sharedSampleIndex = index
    sharedPicture = pictures[index]
    pictures = []
  }

  /// The moment for the pictures of several heaps: that at which the worst of them is at its worst. All reports are of one
  /// workload, and have their samples at the same moments.
  static func sharedSampleIndex(of reports: [LayoutReport]) -> Int? {
    reports.max { $0.worstSample.badness < $1.worstSample.badness }?.worstSampleIndex
  }
}

extension LayoutSample {
  /// What decides which moment is worse: external fragmentation, then the share of free bytes.
  fileprivate var badness: (Double, Double) {
    (externalFragmentation, extentByteCount == 0 ? 0 : Double(freeByteCount) / Double(extentByteCount))
  }
}

/// The heap at one moment of a replay.
public struct LayoutSample: Hashable, Sendable, Codable {
  /// The number of steps taken so far.
  public let stepCount: Int
  /// The requested bytes that are live.
  public let liveByteCount: UInt64
  /// The heap's bytes so far: from its start to the end of the highest block ever in use.
  public let extentByteCount: UInt64
  /// The free bytes in the heap.
  public let freeByteCount: UInt64
  /// The bytes of the longest free run.
  public let largestFreeByteCount: UInt64
  /// The number of free runs.
  public let holeCount: UInt64
  /// The share of the heap that lies in free runs too short for the reference request.
  public let externalFragmentation: Double
  /// F(S) at the sizes of ``FragmentationCurve/requestByteCounts``.
  public let fragmentationCurve: [Double]
  /// F(S) for the reference request.
  public let fragmentation: Double
  /// Gorman's fragmentation index for the reference request.
  public let fragmentationIndex: Double
  /// Linux's unusable free space index for the reference request.
  public let unusableFreeSpace: Double
  /// The window fill for the reference request in windows of 64 KiB and of 2 MiB, where the request is no larger.
  public let windowFills: [WindowFill]
  /// Free runs over (used blocks + 1).
  public let checkerboard: Double
  /// The Gini coefficient of the free runs' lengths.
  public let gini: Double
  /// The entropy of the free runs, in bits.
  public let entropyBits: Double

  /// All figures of a layout.
  init(_ layout: HeapLayout, stepCount: Int, liveByteCount: UInt64, referenceByteCount size: UInt64) {
    self.stepCount = stepCount
    self.liveByteCount = liveByteCount
    extentByteCount = layout.extentByteCount
    freeByteCount = layout.freeByteCount
    largestFreeByteCount = layout.largestFreeByteCount
    holeCount = UInt64(layout.freeRuns.count)
    externalFragmentation = UnusableFreeSpace.shareOfHeap(layout, requestByteCount: size).figure
    fragmentationCurve = FragmentationCurve.requestByteCounts.map {
      FragmentationCurve.value(of: layout, requestByteCount: $0).figure
    }
    fragmentation = FragmentationCurve.value(of: layout, requestByteCount: size).figure
    fragmentationIndex = FragmentationIndex.value(of: layout, requestByteCount: size).figure
    unusableFreeSpace = UnusableFreeSpace.value(of: layout, requestByteCount: size).figure
    windowFills = [64 << 10, 2 << 20].filter { $0 >= size }.map {
      WindowFill(of: layout, windowByteCount: $0, requestByteCount: size)
    }
    checkerboard = FreeRunDistribution.checkerboard(of: layout).figure
    gini = FreeRunDistribution.gini(of: layout).figure
    entropyBits = FreeRunDistribution.entropyBits(of: layout).figure
  }
}

extension Double {
  /// The number rounded to six decimals: the last bits of `log2` differ between machines.
  var figure: Double { (self * 1e6).rounded() / 1e6 }
}
