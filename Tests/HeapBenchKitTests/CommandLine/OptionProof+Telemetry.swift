import Foundation
import Testing

@testable import HeapBenchKit

extension OptionProof {
  /// A process without libheaplab.so has no heap to show; scripts/test-telemetry shows real ones.
  static let telemetry = [
    OptionProof("top", ["sort", "interval", "once", "json"]) { folder in
      let outcome = try await HeapBenchProcess.run(
        "top", "--once", "--sort", "fragmented", "--json", "\(folder)/top.json")
      #expect(outcome.status == 0 && outcome.output.contains("▾fragmented"), "\(outcome.errors)")
      #expect(try JSONSerialization.jsonObject(with: data("\(folder)/top.json")) is [Any])
      let wrong = try await HeapBenchProcess.run("top", "--interval", "0")
      #expect(wrong.status == 2 && wrong.errors.hasSuffix("found 0.0; see 'heapbench top --help'\n"))
      let endless = try await HeapBenchProcess.run("top", "--json", "-")
      #expect(endless.errors.contains("--json has the figures of one moment; add --once"))
    },
    OptionProof("heap", ["json", "picture"]) { folder in
      let outcome = try await HeapBenchProcess.run(
        "heap", "8388608", "--json", "\(folder)/heap.json", "--picture", "\(folder)/heap.svg")
      #expect(outcome.status == 2 && outcome.errors.hasSuffix("process 8388608 does not exist\n"), "\(outcome.errors)")
      let word = try await HeapBenchProcess.run("heap", "redis")
      #expect(word.errors.hasSuffix("'redis' is no number of a process; 'heapbench top' lists them\n"))
    },
    OptionProof("profile", ["sort", "sites", "sample", "pprof", "json"]) { folder in
      let outcome = try await HeapBenchProcess.run(
        "profile", "8388608", "--sort", "pinned", "--sites", "5", "--json", "\(folder)/profile.json", "--pprof",
        "\(folder)/heap.prof")
      #expect(outcome.status == 2 && outcome.errors.hasSuffix("process 8388608 does not exist\n"), "\(outcome.errors)")
      let wrong = try await HeapBenchProcess.run("profile", "8388608", "--sample", "65G")
      #expect(wrong.errors.hasSuffix("--sample must be a number of bytes up to 64G, as 512K, or 0, found '65G'\n"))
      let both = try await HeapBenchProcess.run("profile", "8388608", "--sample", "1M", "--json", "-")
      #expect(both.errors.contains("--sample shows nothing; read the samples later, without it"))
      let many = try await HeapBenchProcess.run("profile", "8388608", "--sites", "0")
      #expect(many.errors.contains("--sites must be 1…10000, found 0"))
    },
    OptionProof("exporter", ["address", "port", "classes", "profiles", "textfile", "interval", "once"]) { folder in
      let outcome = try await HeapBenchProcess.run(
        "exporter", "--textfile", "\(folder)/heaplab.prom", "--once", "--classes", "--profiles", "--interval", "1")
      #expect(outcome.status == 0, "\(outcome.errors)")
      let figures = try text("\(folder)/heaplab.prom")
      #expect(figures.contains("# TYPE heaplab_live_bytes gauge\n") && figures.contains("heaplab_class_live_bytes"))
      let wrong = try await HeapBenchProcess.run("exporter", "--address", "localhost", "--port", "0")
      #expect(wrong.errors.hasSuffix("'localhost' is no IPv4 address; '127.0.0.1' is this host alone\n"))
    },
    OptionProof("fleet", ["window", "json"]) { folder in
      let outcome = try await HeapBenchProcess.run(
        "fleet", "http://127.0.0.1:1", "--window", "60", "--json", "\(folder)/fleet.json")
      #expect(outcome.status == 2 && outcome.errors.contains("cannot ask http://127.0.0.1:1: "), "\(outcome.errors)")
      let wrong = try await HeapBenchProcess.run("fleet", "http://127.0.0.1:1", "--window", "1")
      #expect(wrong.errors.contains("--window must be 8…604800 seconds, found 1"))
    },
  ]
}
