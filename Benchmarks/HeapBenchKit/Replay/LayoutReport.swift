/// What a deterministic replay found out about where a policy puts blocks: equal for equal seeds, to the byte.
public struct LayoutReport: Hashable, Sendable, Codable {
  /// The heap's peak in bytes: from its start to the end of the highest block there ever was.
  public let peakHeapByteCount: UInt64
  /// Peak heap ÷ peak live bytes.
  public let blowUp: Double
  /// Peak heap ÷ the compaction oracle's peak.
  public let blowUpOverOracle: Double
  /// Usable bytes granted ÷ bytes requested, over all requests.
  public let internalWaste: Double
  /// The share of requests that made the heap grow although enough bytes were free.
  public let forcedGrowthShare: Double
  /// Robson's bound for first fit, in bytes.
  public let robsonBoundByteCount: UInt64
  /// S of the figures for one size.
  public let referenceRequestByteCount: UInt64
  /// The heap at evenly spaced moments and at the peak of live bytes, in order of time.
  public let samples: [LayoutSample]
  /// Which of the samples is the worst: the highest external fragmentation once the heap had half
  /// its final size, and of equal ones the one with the most free bytes.
  public let worstSampleIndex: Int
  /// The heap at that moment.
  public let worstPicture: HeapPicture

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
    // Where holes are never too short, the moment with the most free bytes in the heap.
    worstSampleIndex = grown.max { samples[$0].badness < samples[$1].badness } ?? samples.count - 1
    worstPicture = pictures[worstSampleIndex]
  }
}

extension LayoutSample {
  /// What moments are compared by: external fragmentation, then the share of free bytes.
  fileprivate var badness: (Double, Double) {
    (externalFragmentation, extentByteCount == 0 ? 0 : Double(freeByteCount) / Double(extentByteCount))
  }
}

/// The heap at one moment of a replay.
public struct LayoutSample: Hashable, Sendable, Codable {
  /// How many steps had been taken.
  public let stepCount: Int
  /// The bytes live, as asked for.
  public let liveByteCount: UInt64
  /// The heap so far, from its start to the end of the highest block there ever was.
  public let extentByteCount: UInt64
  /// The free bytes in it.
  public let freeByteCount: UInt64
  /// Its longest free run.
  public let largestFreeByteCount: UInt64
  /// How many free runs it has.
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
  /// Window fill in windows of 64 KiB and of 2 MiB for the reference request, where it is no larger.
  public let windowFills: [WindowFill]
  /// Free runs ÷ (used blocks + 1).
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
  /// Rounded to six decimals, so that the last bits of a machine's `log2` do not tell machines apart.
  var figure: Double { (self * 1e6).rounded() / 1e6 }
}
