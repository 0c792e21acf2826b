public import Foundation

extension BenchmarkReport {
  /// The report as JSON, keys in alphabetical order; the same report always gives the same bytes.
  public func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self) + Data("\n".utf8)
  }

  /// The columns of ``csv``: their names and what is in them.
  ///
  /// Times are nanoseconds, sizes bytes, ratios and shares plain numbers. A figure that does not exist is empty.
  public static let csvColumns: [(key: String, meaning: String)] = [
    ("workload", "the profile's or the trace's name"),
    ("policy", "the policy's name"),
    ("threads", "how many threads took the steps"),
    ("operations", "calls of the allocator"),
    ("peak_live_bytes", "the most bytes live at once, as asked for"),
    ("operations_per_second", "median over the rounds"),
    ("throughput_ratio_to_system", "operations_per_second over that of policy system"),
    ("latency_p50_ns", "median over the rounds, as the following four"),
    ("latency_p99_ns", "99 % of the calls took no longer"),
    ("latency_p999_ns", "99.9 %"),
    ("latency_p9999_ns", "99.99 %"),
    ("latency_max_ns", "the longest call"),
    ("peak_resident_bytes", "what the process had resident for the allocator"),
    ("peak_memory_ratio", "peak_resident_bytes over peak_live_bytes"),
    ("internal_waste", "bytes granted over bytes asked for"),
    ("external_fragmentation", "share of the heap in holes too short for reference_request_bytes, worst moment"),
    ("reference_request_bytes", "the size that 99 of 100 requests do not exceed"),
    ("peak_heap_bytes", "from the heap's start to the end of its highest block ever"),
    ("blow_up", "peak_heap_bytes over peak_live_bytes"),
    ("blow_up_over_oracle", "peak heap (of system: resident) over the peak of a heap that compacts at no cost"),
    ("forced_growth", "share of requests that made the heap grow though enough bytes were free"),
    ("robson_bound_bytes", "the worst case of first fit for this peak and these sizes"),
    ("fragmentation", "F(reference_request_bytes) at the worst moment"),
    ("fragmentation_index", "Gorman's index there, -1 when a request fits"),
    ("unusable_free_space", "Linux's index there"),
    ("free_runs", "how many holes there"),
    ("gini", "of the holes' lengths there"),
    ("entropy_bits", "of the holes' lengths there"),
    ("failures", "requests that got no memory"),
  ]

  /// The report as CSV (RFC 4180): a line of keys, then one line for each workload and policy.
  public var csv: String {
    var lines = [Self.csvColumns.map(\.key).joined(separator: ",")]
    for workload in workloads {
      for result in workload.results {
        lines.append(csvFields(of: result, workload).map { $0 ?? "" }.joined(separator: ","))
      }
    }
    return lines.map { $0 + "\r\n" }.joined()
  }

  private func csvFields(of result: PolicyResult, _ workload: WorkloadReport) -> [String?] {
    let facts = workload.facts
    let latency = result.latency
    let layout = result.layout
    let worst = layout?.worstSample
    func number(_ value: Double?) -> String? { value.map { "\($0.figure)" } }
    func integer(_ value: (some BinaryInteger)?) -> String? { value.map { "\($0)" } }
    return [
      workload.name.quotedForCSV, result.policy.quotedForCSV, "\(facts.threadCount)", "\(facts.operationCount)",
      "\(facts.peakLiveByteCount)", integer(result.operationsPerSecond.map { Int64($0) }),
      number(ResultTable.throughputRatio(result, workload)),
      integer(latency?.p50Nanoseconds), integer(latency?.p99Nanoseconds), integer(latency?.p999Nanoseconds),
      integer(latency?.p9999Nanoseconds), integer(latency?.maxNanoseconds),
      integer(result.memory?.peakResidentByteCount), number(result.peakMemoryRatio(facts)),
      number(layout?.internalWaste ?? result.memory?.internalWaste), number(worst?.externalFragmentation),
      "\(facts.referenceRequestByteCount)", integer(layout?.peakHeapByteCount), number(layout?.blowUp),
      number(result.blowUpOverOracle(facts)), number(layout?.forcedGrowthShare), integer(layout?.robsonBoundByteCount),
      number(worst?.fragmentation), number(worst?.fragmentationIndex), number(worst?.unusableFreeSpace),
      integer(worst?.holeCount), number(worst?.gini), number(worst?.entropyBits), "\(result.failureCount)",
    ]
  }
}

extension String {
  /// The text as one CSV field.
  fileprivate var quotedForCSV: String {
    contains { $0 == "," || $0 == "\"" || $0.isNewline }
      ? "\"" + replacingOccurrences(of: "\"", with: "\"\"") + "\"" : self
  }
}
