import AllocationTraces

@testable import HeapBenchKit

/// A trace with call stacks: at its peak, `leaf` in `main` has 200 bytes and `other` in `main` 100.
enum StackFixture {
  static func table() -> CallStackTable {
    var table = CallStackTable()
    for function in ["main", "leaf", "other"] {
      table.frames.append(CallStackTable.Frame(module: "/bin/x", offset: 16, function: function, file: "x.c", line: 3))
    }
    table.frames.append(CallStackTable.Frame(module: "/lib/libx.so", offset: 0x1F))
    _ = table.append([1, 0])
    _ = table.append([2, 0])
    _ = table.append([3])
    return table
  }

  /// Writes the trace, in which each call stands for `weight` calls.
  static func write(to path: String, weight: UInt64 = 1) throws {
    let writer = try TraceFileWriter(path: path, TraceText(), columns: [.times, .stacks, .weights])
    let calls: [(TraceEvent, UInt64)] = [
      (.allocate(byteCount: 50), 3), (.allocate(byteCount: 100), 2), (.deallocate(object: 0), 0),
      (.allocate(byteCount: 200), 1), (.deallocate(object: 2), 0), (.reallocate(object: 1, byteCount: 120), 3),
    ]
    for (event, stack) in calls {
      try writer.append(
        event, nanoseconds: 1, TraceColumnValues(stack: stack, weightThousandths: weight * 1000))
    }
    try writer.append(table())
    try writer.finish(TraceText(program: nil, command: nil, counts: ["sampleBytes": weight == 1 ? 0 : 64]))
  }
}
