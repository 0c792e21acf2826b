import CLabMalloc
import LabTestSupport
import Testing

@testable import ProcessHeap

/// The contract with readers outside of the process: names that stay, and places that hold what the names say.
struct TelemetryTests {
  /// The words of version 1. Words may be added here; one that is taken away breaks readers, and needs a new version.
  private static let names: Set<String> = [
    "space.base", "space.table", "space.chunk_table", "space.first_granule", "space.granule_count",
    "space.chunk_shift_least", "space.chunk_shift_most", "space.arena_count", "space.committed_end@", "space.quota@",
    "space.purged@", "space.commits@", "space.regrets@", "space.arenas@", "arena.extent+", "arena.counted+",
    "arena.regrets+", "granule.bytes", "granule.record_bytes", "granule.page_bytes", "granule.resident+",
    "granule.use+", "use.free", "use.reserved", "use.full_span", "use.current_span", "use.available_span", "use.arena",
    "use.metadata", "span.class+", "span.pending+", "span.target+", "span.remote+", "span.remote_shift",
    "span.remote_mask", "span.carved+", "span.absent+",
    "part.first+", "part.second+", "part.start_pages+", "part.start_steps+", "part.size_shift", "batch.count_shift",
    "class.count", "class.first_magazine",
    "class.sizes", "block.mark", "batch.count", "batch.stride", "heap.active+", "heap.current+",
    "heap.magazine_limits+", "heap.magazine_rooms+", "heap.cached+", "heap.batches+", "heap.regrets+", "heap.older+",
    "heap.slow_paths+", "process.newest_heap@", "process.shared_heap@", "process.mapped_count@", "process.mapped@",
    "process.kept@", "process.refused@", "process.sample_mean@", "samples.table@", "samples.maximum",
    "samples.records+", "samples.stride", "samples.stacks+", "samples.stack_bytes", "samples.mean+", "samples.taken+",
    "samples.ended+", "samples.dropped+", "samples.end+", "samples.window+", "sample.address+", "sample.bytes+",
    "sample.time+", "sample.pc+", "sample.sp+", "sample.fp+", "sample.stack+", "sample.thread+", "sample.live+",
  ]

  /// The table of this process.
  private static var words: [String: UInt] {
    // SAFETY: the table is C's and stays; this process alone runs here.
    let table = unsafe UnsafeRawPointer(bitPattern: lab_telemetry_table()).unsafelyUnwrapped
    var words: [String: UInt] = [:]
    // SAFETY: as above.
    for index in 0..<(unsafe Int(table.load(fromByteOffset: 12, as: UInt32.self))) {
      // SAFETY: as above; a word has 24 bytes of its name, then its value.
      let word = unsafe UnsafeRawBufferPointer(start: table + 16 + index * 32, count: 32)
      // SAFETY: as above.
      let name = unsafe String(decoding: word.prefix(24).prefix { $0 != 0 }, as: UTF8.self)
      // SAFETY: as above.
      words[name] = unsafe word.load(fromByteOffset: 24, as: UInt.self)
    }
    return words
  }

  /// The figure at an address.
  private static func figure(_ name: String) -> UInt {
    // SAFETY: the table has the address of a word.
    unsafe UnsafePointer<UInt>(bitPattern: words[name] ?? 0)?.pointee ?? .max
  }

  @Test("The table has the words of its version, once something was allocated")
  func names() async {
    await #expect(processExitsWith: .success) {
      #expect(Self.words.isEmpty)
      _ = ProcessHeap.allocate(100)
      #expect(Set(Self.words.keys) == Self.names)
    }
  }

  @Test("Words point to what they name")
  func places() async {
    await #expect(processExitsWith: .success) {
      _ = ProcessHeap.allocate(40 << 20)
      #expect(Self.figure("process.mapped@") == 40 << 20 && Self.figure("process.mapped_count@") == 1)
      ProcessHeap.setQuota(byteCount: 50 << 20)
      #expect(Self.figure("space.quota@") == 50 << 20)
      #expect(Self.figure("process.refused@") == 0)
      for _ in 0..<3 { #expect(ProcessHeap.allocate(60 << 20) == 0) }
      #expect(Self.figure("process.refused@") == 3)
      #expect(ProcessHeap.allocate(.max) == 0 && Self.figure("process.refused@") == 4)
      ProcessHeap.setQuota(byteCount: .max)
      let commits = Self.figure("space.commits@")
      let blocks = (0..<100_000).map { _ in ProcessHeap.allocate(500) }
      #expect(Self.figure("space.commits@") > commits)
      let purged = Self.figure("space.purged@")
      for block in blocks { ProcessHeap.deallocate(block) }
      _ = ProcessHeap.trim()
      #expect(Self.figure("space.purged@") > purged + 30 << 20)
    }
  }

  @Test("The structs of the header have the layout that readers know")
  func layouts() {
    #expect(MemoryLayout<heaplab_telemetry_word>.size == 32)
    #expect(MemoryLayout<heaplab_telemetry>.offset(of: \.version) == 8)
    #expect(MemoryLayout<heaplab_telemetry>.offset(of: \.word_count) == 12)
    #expect(MemoryLayout<heaplab_telemetry_page>.size == 152)
    #expect(MemoryLayout<heaplab_telemetry_page>.offset(of: \.sequence) == 12)
    #expect(MemoryLayout<heaplab_telemetry_page>.offset(of: \.updated) == 32)
    #expect(MemoryLayout<heaplab_telemetry_page>.offset(of: \.committed) == 40)
    #expect(MemoryLayout<heaplab_telemetry_page>.offset(of: \.refused) == 144)
  }
}
