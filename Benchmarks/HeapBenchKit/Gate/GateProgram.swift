import Glibc
import Subprocess

/// A real program that the gate runs under the preload. It works for a fraction of a second and allocates as such
/// programs do.
struct GateProgram: Sendable {
  /// The program's name, which is also its package's.
  let name: String
  /// The trait of the machine that holds the program's version.
  let trait: GateMachine.Trait
  /// The arguments that make it print its version.
  let versionArguments: [String]
  /// The arguments that make it work.
  let arguments: [String]
  /// The environment that makes every run do the same.
  var environment: [Environment.Key: String] = [:]

  /// The programs.
  static let all = [perl, sqlite3, python3]

  private static let perl = GateProgram(
    name: "perl", trait: .perl, versionArguments: ["-e", "print $^V"],
    arguments: [
      "-e",
      """
      my (%h, @lines);
      for my $i (1..30000) { $h{"key" . $i % 777} .= chr(65 + $i % 26); push @lines, join(",", map { $_ * $i } 1..5) }
      my $all = join("\\n", sort { $a cmp $b } @lines); $all =~ s/(\\d)(\\d)/$2$1/g;
      print unpack("%32C*", $all), "\\n"
      """,
    ], environment: ["PERL_HASH_SEED": "0", "PERL_PERTURB_KEYS": "0"])

  private static let sqlite3 = GateProgram(
    name: "sqlite3", trait: .sqlite3, versionArguments: ["--version"],
    arguments: [
      "-batch", "-init", "/dev/null", ":memory:",
      """
      CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, value REAL);
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<50000)
        INSERT INTO t SELECT i, hex(i*7919), i%1000 FROM n;
      CREATE INDEX by_value ON t(value, name);
      DELETE FROM t WHERE id%3=0;
      SELECT count(*), sum(value), max(name) FROM t;
      VACUUM;
      """,
    ])

  private static let python3 = GateProgram(
    name: "python3", trait: .python3, versionArguments: ["-I", "-S", "-c", "import sys; print(sys.version)"],
    arguments: [
      "-I", "-S", "-B", "-c",
      """
      import json
      rows = [{"id": i, "name": "row %d" % i, "values": list(range(i % 17))} for i in range(8000)]
      for _ in range(3): rows = json.loads(json.dumps(rows))
      print(sum(len(row["values"]) for row in rows))
      """,
    ], environment: ["PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"])

  /// The program's version; nil when it is not installed.
  func version(on workbench: GateWorkbench) async -> String? {
    guard let path = try? path,
      let text = try? await workbench.output(of: path, versionArguments)
    else { return nil }
    return text.split(whereSeparator: \.isWhitespace).first.map(String.init)
  }

  /// The program's path.
  private var path: String {
    get throws(GateObstacle) { try GateWorkbench.tool(name, package: name) }
  }

  /// The system calls of the program, its threads and its children, under `library`.
  func systemCallCount(on workbench: GateWorkbench, library: String?) async throws -> Double {
    try await SystemCallCounter(workbench: workbench).count(path, arguments, environment: environment, library: library)
  }

  /// The page faults of the program and its children, under `library`: the median of five runs. No other child of this
  /// process may end in the meantime.
  func pageFaultCount(on workbench: GateWorkbench, library: String) async throws -> Double {
    let environment = environment.merging(["LD_PRELOAD": library]) { $1 }
    var counts: [Double] = []
    for _ in 0..<5 {
      let before = Self.childFaultCount
      _ = try await workbench.output(of: path, arguments, environment: environment)
      counts.append(Double(Self.childFaultCount - before))
    }
    return counts.sorted()[2]
  }

  private static var childFaultCount: Int {
    var usage = rusage()
    // SAFETY: the out-parameter is this function's own.
    unsafe getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
    return usage.ru_minflt + usage.ru_majflt
  }
}
