import Foundation
import Testing

@testable import HeapBenchKit

extension OptionProof {
  static let recording = [
    OptionProof("convert", ["from"]) { folder in
      try Data(#"{"op":"malloc","object":1,"size":24}"#.utf8).write(to: URL(filePath: "\(folder)/calls.txt"))
      let refused = try await HeapBenchProcess.run("convert", "\(folder)/calls.txt", "\(folder)/t.hltrace")
      #expect(refused.status == 2 && refused.errors.hasSuffix("or give it with --from\n"), "\(refused.errors)")
      let outcome = try await HeapBenchProcess.run(
        "convert", "\(folder)/calls.txt", "\(folder)/t.hltrace", "--from", "jsonl")
      #expect(outcome.status == 0 && outcome.output.contains("1 call in "), "\(outcome.errors)")
      #expect(try TraceFile(path: "\(folder)/t.hltrace").workload().steps.first?.amount == 24)
    },
    OptionProof("check", ["policy", "seed", "requests", "rounds"]) { _ in
      let outcome = try await HeapBenchProcess.run(
        "check", "--policy", "nextfit", "--policy", "buddy", "--rounds", "2", "--requests", "300")
      #expect(
        outcome.output.hasSuffix(
          "nextfit: 2 seeds of 300 requests, no mistake\nbuddy: 2 seeds of 300 requests, no mistake\n"))
      let one = try await HeapBenchProcess.run("check", "--policy", "firstfit", "--seed", "9", "--requests", "300")
      #expect(one.output.hasSuffix("firstfit: 1 seed of 300 requests, no mistake\n"), "\(one)")
      for (words, remedy) in [
        (["--policy", "system"], "has memory of its own, where no model can follow it"),
        (["--requests", "0"], "--requests must be 1…100000000, found 0"),
        (["--rounds", "0"], "--rounds must be 1…1000000, found 0"),
      ] {
        let refused = try await HeapBenchProcess.run(["check"] + words)
        #expect(refused.status == 2 && refused.errors.hasSuffix("\(remedy)\n"), "\(refused.errors)")
      }
    },
    OptionProof("record", ["output", "anonymous"]) { folder in
      let outcome = try await HeapBenchProcess.shell(
        "$heapbench record --output t.hltrace --anonymous -- sh -c 'exit 5'; echo $? > status", in: folder)
      #expect(try text("\(folder)/status") == "5\n", "\(outcome)")
      let trace = try TraceFile(path: "\(folder)/t.hltrace")
      #expect(trace.isWhole && trace.text.program == nil && trace.text.command == nil)
      #expect(try trace.workload().steps.count > 10)
    },
    OptionProof("record", ["stacks", "sample"]) { folder in
      let outcome = try await HeapBenchProcess.shell(
        "$heapbench record --stacks=3 --output t.hltrace -- perl -e 'print 1' && "
          + "$heapbench record --sample 4K --output s.hltrace -- perl -e 'print 1'", in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let stacks = try TraceFile(path: "\(folder)/t.hltrace").callStacks().stacks
      #expect(stacks.count > 10 && stacks.allSatisfy { $0.count <= 3 })
      let samples = try TraceFile(path: "\(folder)/s.hltrace")
      #expect(samples.sampleByteCount == 4096)
      for (option, remedy) in [("--stacks=65", "must be 1…64, found 65"), ("--sample=some", "as 512K, found 'some'")] {
        let refused = try await HeapBenchProcess.run("record", option, "--", "true")
        #expect(refused.status == 2 && refused.errors.hasSuffix("\(remedy)\n"), "\(refused.errors)")
      }
      let both = try await HeapBenchProcess.run("record", "--stacks", "--anonymous", "--", "true")
      #expect(both.errors.hasSuffix("--anonymous leaves out call stacks; give it or --stacks\n"), "\(both.errors)")
    },
    OptionProof("replay", ["sites"]) { folder in
      try StackFixture.write(to: "\(folder)/t.hltrace")
      let outcome = try await HeapBenchProcess.run(
        "replay", "\(folder)/t.hltrace", "--sites", "1", "--policy", "firstfit", "--allocator", "none")
      #expect(outcome.output.contains("live at the peak: 300 B of 2 call stacks"), "\(outcome.output)")
      #expect(outcome.output.contains("200 B · 1 block · 1 allocation\n    leaf ← main"), "\(outcome.output)")
      #expect(!outcome.output.contains("other"))
      let wrong = try await HeapBenchProcess.run("replay", "perl-hash", "--sites", "-1")
      #expect(wrong.errors.hasSuffix("--sites must be 0…10000, found -1\n"), "\(wrong.errors)")
    },
    OptionProof("replay", ["policy", "allocator", "touch", "pace", "library", "json"]) { folder in
      let outcome = try await HeapBenchProcess.run(
        "replay", "perl-hash", "--policy", "firstfit", "--allocator", "glibc", "--allocator", "again=\(library())",
        "--touch", "none", "--pace", "recorded", "--library", library(), "--json", "\(folder)/replay.json")
      #expect(outcome.status == 0, "\(outcome.errors)")
      let report = try object("\(folder)/replay.json")
      #expect((report["policies"] as? [[String: Any]])?.compactMap { $0["policy"] as? String } == ["firstfit"])
      let allocators = try #require(report["allocators"] as? [[String: Any]])
      #expect(allocators.compactMap { $0["allocator"] as? String } == ["glibc", "again"])
      for allocator in allocators {
        #expect((allocator["figures"] as? [String: Any])?["operations"] as? Int == 355_647)
      }
      let wrong = try await HeapBenchProcess.run("replay", "perl-hash", "--touch", "some")
      #expect(wrong.errors.hasSuffix("--touch must be none, first or whole, found 'some'\n"))
    },
  ]

  /// A library of this build to preload: the recorder, which records nothing where nobody asks it to.
  static func library() -> String {
    URL(filePath: HeapBenchProcess.path).deletingLastPathComponent().appending(path: "libheaplab-record.so").path
  }
}
