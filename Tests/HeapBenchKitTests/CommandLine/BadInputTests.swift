import Foundation
import Testing

@testable import HeapBenchKit

/// Bad input: one line on standard error that names the mistake and the remedy, status 2, and no measurement.
@Suite struct BadInputTests {
  /// Checks that heapbench ended with this line before it measured anything.
  private func expect(_ line: String, _ outcome: HeapBenchProcess.Outcome) {
    #expect(outcome.status == 2, "\(outcome)")
    #expect(outcome.errors == "heapbench: \(line)\n")
    #expect(!outcome.output.contains("Mcall"))
  }

  @Test func heapsToCompareAreChecked() async throws {
    expect(
      "--heap must be 'table', 'tree' or NAME=PATH of a shared library, found 'tlsf'",
      try await HeapBenchProcess.run("compare-heaps", "--heap", "tlsf"))
    expect("--live must be 1…10,000,000, found 0", try await HeapBenchProcess.run("compare-heaps", "--live", "0"))
  }

  @Test func unknownNamesGetASuggestion() async throws {
    expect(
      "no profile is called 'web-servr'; did you mean 'web-server'?",
      try await HeapBenchProcess.run("run", "--profile", "web-servr"))
    expect(
      "no policy is called 'frstfit'; did you mean 'firstfit'?",
      try await HeapBenchProcess.run("run", "--policy", "frstfit", "--profile", "web-server"))
    expect("no command is called 'hols'; did you mean 'holes'?", try await HeapBenchProcess.run("hols"))
    let outcome = try await HeapBenchProcess.run("run", "--trace", "nothing-of-the-kind")
    #expect(outcome.status == 2)
    #expect(outcome.errors.hasPrefix("heapbench: no trace is called 'nothing-of-the-kind'; there are cc1plus-stl, "))
  }

  @Test func aNameOfTheOtherKindOrOfAFileGetsAHint() async throws {
    expect(
      "'sqlite-oltp' is no profile but a trace; give it as --trace sqlite-oltp",
      try await HeapBenchProcess.run("run", "--profile", "sqlite-oltp"))
    expect(
      "'./mine.hltrace' is no profile but a trace; give it as --trace ./mine.hltrace",
      try await HeapBenchProcess.run("run", "--profile", "./mine.hltrace"))
    expect(
      "'./mine.yaml' is no command; to replay a profile: heapbench run --profile ./mine.yaml",
      try await HeapBenchProcess.run("./mine.yaml"))
    try await withFile("mine.yaml", Data()) { path in
      let folder = URL(filePath: path).deletingLastPathComponent().path
      for command in ["run --profile mine", "explain mine"] {
        expect(
          "no profile is called 'mine', but there is a file: name it as ./mine.yaml",
          try await HeapBenchProcess.shell("exec $heapbench \(command)", in: folder))
      }
    }
  }

  @Test func anEmptyOrWildNameGetsAllNames() async throws {
    expect(
      "no policy is called ''; there are general, firstfit, buddy, plain-list, nextfit, bestfit, worstfit, system",
      try await HeapBenchProcess.run("run", "--policy", ""))
    for name in ["frobnicate", ""] {
      expect(
        "no command is called '\(name)'; there are all, run, list, explain, holes, paging, compare, latency, compare-heaps, "
          + "gate, record, replay, convert, topology, top, heap, profile, exporter, fleet, check, help",
        try await HeapBenchProcess.run(name))
    }
    let outcome = try await HeapBenchProcess.run("explain", "qqqqqqqq")
    #expect(outcome.status == 2)
    #expect(outcome.errors.hasPrefix("heapbench: no profile or trace is called 'qqqqqqqq'; there are browser-tabs, "))
    #expect(outcome.errors.hasSuffix(", plain-list, nextfit, bestfit, worstfit, system\n"), "\(outcome.errors)")
  }

  @Test func aSeedIsRefusedWhereNothingIsRandom() async throws {
    let ofTraces = "--seed applies to profiles; a trace is replayed as it was recorded"
    expect(
      ofTraces + "; see 'heapbench run --help'",
      try await HeapBenchProcess.run("run", "--trace", "python-json", "--seed", "3"))
    expect(ofTraces, try await HeapBenchProcess.run("explain", "python-json", "--seed", "3"))
    let ofPolicies = "--seed and --scale apply to profiles and traces; 'firstfit' is a policy"
    expect(ofPolicies, try await HeapBenchProcess.run("explain", "firstfit", "--seed", "3"))
    expect(ofPolicies, try await HeapBenchProcess.run("explain", "firstfit", "--scale", "0.5"))
  }

  @Test(arguments: [
    (["--scale", "0"], "--scale must be 0.0001…100, found 0.0"),
    (["--scale", "-1"], "--scale must be 0.0001…100, found -1.0"),
    (["--rounds", "0"], "--rounds must be 1…1000, found 0"),
    (["--threads", "0"], "--threads must be 1…256, found 0"),
    (["--threads", "-2"], "--threads must be 1…256, found -2"),
    (
      ["--threads", "4", "--trace", "perl-hash"],
      "--threads applies to profiles; a trace is replayed with the threads it"
    ),
    (["--seed", "x"], "The value 'x' is invalid for '--seed <number>'"),
    (["--nonsense"], "Unknown option '--nonsense'"),
    (["--profile"], "Missing value for '--profile <profile>'"),
  ])
  func numbersAndOptionsAreChecked(arguments: [String], line: String) async throws {
    let all = ["run"] + arguments
    let outcome = try await HeapBenchProcess.run(all)
    #expect(outcome.status == 2)
    #expect(outcome.errors.hasPrefix("heapbench: \(line)"), "\(outcome.errors)")
    #expect(outcome.errors.filter(\.isNewline).count == 1)
  }

  @Test func aTruncatedTraceNamesFileAndRemedy() async throws {
    let whole = try Data(contentsOf: URL(filePath: WorkloadFiles.trace("perl-hash")))
    try await withFile("cut.hltrace", whole.prefix(whole.count / 2)) { path in
      let outcome = try await HeapBenchProcess.run("run", "--trace", path, "--policy", "system")
      #expect(outcome.status == 2)
      #expect(outcome.errors.contains("cut.hltrace"))
      #expect(outcome.errors.contains("copy or record it again"))
    }
  }

  @Test func aForeignFileIsNoTrace() async throws {
    try await withFile("song.hltrace", Data("MThd of another format".utf8)) { path in
      let outcome = try await HeapBenchProcess.run("run", "--trace", path)
      #expect(outcome.status == 2)
      #expect(outcome.errors.hasPrefix("heapbench: trace '\(path)' "), "\(outcome.errors)")
      #expect(outcome.errors.filter(\.isNewline).count == 1)
    }
  }

  @Test func aMistakeInAProfileNamesTheLine() async throws {
    let yaml = "name: mine\nsummary: A test's own\nthreads: zero\n"
    try await withFile("mine.yaml", Data(yaml.utf8)) { path in
      let outcome = try await HeapBenchProcess.run("run", "--profile", path)
      #expect(outcome.status == 2)
      #expect(outcome.errors.hasPrefix("heapbench: profile 'mine' line 3: "), "\(outcome.errors)")
      #expect(outcome.errors.filter(\.isNewline).count == 1)
    }
  }

  @Test func outputsAreCheckedBeforeTheRunStarts() async throws {
    expect(
      "cannot write '/proc/figures.json': No such file or directory; name another file with --json",
      try await HeapBenchProcess.run("run", "--profile", "web-server", "--json", "/proc/figures.json"))
    let outcome = try await HeapBenchProcess.run("run", "--profile", "web-server", "--output", "/proc/pictures")
    #expect(outcome.status == 2)
    #expect(outcome.errors.hasPrefix("heapbench: cannot make folder '/proc/pictures': "), "\(outcome.errors)")
    #expect(outcome.errors.hasSuffix("; name another with --output\n"), "\(outcome.errors)")
  }

  /// Passes the path of a temporary file to `body`.
  private func withFile(_ name: String, _ data: Data, _ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let file = folder.appending(path: name)
    try data.write(to: file)
    try await body(file.path)
  }
}
