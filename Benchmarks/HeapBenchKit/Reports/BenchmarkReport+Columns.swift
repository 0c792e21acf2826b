extension BenchmarkReport {
  /// A column of ``csv``.
  public struct CSVColumn: Sendable {
    /// The column's key, in the first line.
    public let key: String
    /// What its fields hold.
    public let meaning: String
    /// The field of a result; nil, an empty field, for a figure that does not exist.
    let field: @Sendable (PolicyResult, WorkloadReport) -> String?

    fileprivate static func text(
      _ key: String, _ meaning: String, _ value: @escaping @Sendable (PolicyResult, WorkloadReport) -> String
    ) -> CSVColumn {
      CSVColumn(key: key, meaning: meaning) { value($0, $1).quotedForCSV }
    }

    fileprivate static func integer<Value: BinaryInteger & SendableMetatype>(
      _ key: String, _ meaning: String, _ value: @escaping @Sendable (PolicyResult, WorkloadReport) -> Value?
    ) -> CSVColumn {
      CSVColumn(key: key, meaning: meaning) { value($0, $1).map { "\($0)" } }
    }

    fileprivate static func number(
      _ key: String, _ meaning: String, _ value: @escaping @Sendable (PolicyResult, WorkloadReport) -> Double?
    ) -> CSVColumn {
      CSVColumn(key: key, meaning: meaning) { value($0, $1).map { "\($0.figure)" } }
    }
  }

  /// The columns of ``csv``, in their order.
  ///
  /// Times are nanoseconds, sizes bytes, ratios and shares plain numbers. A figure that does not exist is empty.
  public static let csvColumns: [CSVColumn] = [
    .text("workload", "the profile's or the trace's name") { $1.name },
    .text("policy", "the policy's name") { result, _ in result.policy },
    .integer("threads", "how many threads took the steps") { $1.facts.threadCount },
    .integer("operations", "calls of the allocator") { $1.facts.operationCount },
    .integer("peak_live_bytes", "the most bytes live at once, as asked for") { $1.facts.peakLiveByteCount },
    .integer("operations_per_second", "median over the rounds") { result, _ in
      result.operationsPerSecond.map { Int64($0) }
    },
    .number("throughput_ratio_to_system", "operations_per_second over that of policy system") {
      $0.throughputRatio(in: $1)
    },
    .integer("latency_p50_ns", "median over the rounds, as the following four") { result, _ in
      result.latency?.p50Nanoseconds
    },
    .integer("latency_p99_ns", "99 % of the calls took no longer") { result, _ in result.latency?.p99Nanoseconds },
    .integer("latency_p999_ns", "99.9 %") { result, _ in result.latency?.p999Nanoseconds },
    .integer("latency_p9999_ns", "99.99 %") { result, _ in result.latency?.p9999Nanoseconds },
    .integer("latency_max_ns", "the longest call") { result, _ in result.latency?.maxNanoseconds },
    .integer("peak_resident_bytes", "what the process had resident for the allocator") { result, _ in
      result.memory?.peakResidentByteCount
    },
    .number("peak_memory_ratio", "peak_resident_bytes over peak_live_bytes") { $0.peakMemoryRatio($1.facts) },
    .number("internal_waste", "bytes granted over bytes asked for") { result, _ in result.internalWaste },
    .number(
      "external_fragmentation", "share of the heap in holes too short for reference_request_bytes, worst moment"
    ) { result, _ in result.layout?.worstSample.externalFragmentation },
    .integer("reference_request_bytes", "the size that 99 of 100 requests do not exceed") {
      $1.facts.referenceRequestByteCount
    },
    .integer("peak_heap_bytes", "from the heap's start to the end of its highest block ever") { result, _ in
      result.layout?.peakHeapByteCount
    },
    .number("blow_up", "peak_heap_bytes over peak_live_bytes") { result, _ in result.layout?.blowUp },
    .number(
      "blow_up_over_oracle", "peak heap (of system: resident) over the peak of a heap that compacts at no cost"
    ) { $0.blowUpOverOracle($1.facts) },
    .number("forced_growth", "share of requests that made the heap grow though enough bytes were free") { result, _ in
      result.layout?.forcedGrowthShare
    },
    .integer("robson_bound_bytes", "the worst case of first fit for this peak and these sizes") { result, _ in
      result.layout?.robsonBoundByteCount
    },
    .number("fragmentation", "F(reference_request_bytes) at the worst moment") { result, _ in
      result.layout?.worstSample.fragmentation
    },
    .number("fragmentation_index", "Gorman's index there, -1 when a request fits") { result, _ in
      result.layout?.worstSample.fragmentationIndex
    },
    .number("unusable_free_space", "Linux's index there") { result, _ in
      result.layout?.worstSample.unusableFreeSpace
    },
    .integer("free_runs", "how many holes there") { result, _ in result.layout?.worstSample.holeCount },
    .number("gini", "of the holes' lengths there") { result, _ in result.layout?.worstSample.gini },
    .number("entropy_bits", "of the holes' lengths there") { result, _ in result.layout?.worstSample.entropyBits },
    .integer("failures", "requests that got no memory") { result, _ in result.failureCount },
  ]
}
