import Foundation
import Testing

@testable import HeapBenchKit

/// heapbench on terminals of all kinds, and under limits that are too low.
@Suite struct TerminalTests {
  /// What a terminal of `columns` columns and the type `type` gets: standard output and standard error together.
  private func screen(_ command: String, columns: Int, type: String) async throws -> String {
    let outcome = try await HeapBenchProcess.shell(
      "script -qec \"stty cols \(columns) rows 30; TERM=\(type) $heapbench \(command)\" /dev/null")
    #expect(outcome.status == 0, "\(outcome)")
    return outcome.output
  }

  private static let run = "run --profile web-server --policy general --policy system --scale 0.001 --rounds 1"

  @Test(arguments: [
    run, "list", "explain web-server --scale 0.001", "explain plain-list",
    "compare --only pairs-16 --rounds 1 --quick",
  ])
  func everythingFitsFortyColumns(command: String) async throws {
    let screen = try await screen(command, columns: 40, type: "xterm")
    let plain = screen.replacing(/\u{1B}\[[0-9;]*[mK]/, with: "")
    for line in plain.split(whereSeparator: { $0.isNewline || $0 == "\r" }) where !line.contains("/") {
      #expect(line.count <= 40, "\(line)")
    }
    #expect(plain.count > 200)
  }

  @Test func aDumbTerminalGetsNoEscapeCodes() async throws {
    let screen = try await screen(Self.run, columns: 80, type: "dumb")
    #expect(!screen.contains("\u{1B}"))
    #expect(screen.contains("heapbench: web-server (1 of 1)"), "it gets the progress as a log does")
    #expect(try await self.screen(Self.run, columns: 80, type: "xterm").contains("\u{1B}["))
  }

  @Test(arguments: ["list", "--help", run]) func aFullDiskIsAnError(command: String) async throws {
    let outcome = try await HeapBenchProcess.shell("$heapbench \(command) > /dev/full")
    #expect(outcome.status == 2)
    #expect(outcome.errors.hasSuffix("heapbench: cannot write to standard output: No space left on device\n"))
  }

  @Test func aReaderThatStopsIsNoError() async throws {
    let outcome = try await HeapBenchProcess.shell("{ $heapbench list; echo status $? >&2; } | head -n 1")
    #expect(outcome.errors == "status 0\n")
  }

  @Test func figuresOnStandardOutputStandAlone() async throws {
    let outcome = try await HeapBenchProcess.shell("$heapbench \(Self.run) --json - | head -c 1")
    #expect(outcome.output == "{")
    let both = try await HeapBenchProcess.run("run", "--json", "-", "--csv", "-")
    #expect(both.status == 2)
    #expect(
      both.errors == "heapbench: --json and --csv cannot both be standard output; name a file for one of them\n")
  }

  @Test(arguments: [
    ("ulimit -v 500000", "the address space is limited to 488 MiB, and measuring takes 4.00 GiB: run 'ulimit -v"),
    ("ulimit -n 12", "at most 12 files may be open at once, and measuring takes 64: run 'ulimit -n 64' first"),
  ])
  func aLimitThatIsTooLowIsOneLine(limit: String, line: String) async throws {
    for command in ["run --profile web-server", "gate --baseline Baselines/x86_64.json", "holes", "explain web-server"]
    {
      let outcome = try await HeapBenchProcess.shell("\(limit); exec $heapbench \(command) --json -")
      #expect(outcome.status == 2, "\(command): \(outcome)")
      #expect(outcome.errors.hasPrefix("heapbench: \(line)"), "\(outcome.errors)")
      #expect(outcome.errors.filter(\.isNewline).count == 1)
    }
  }

  @Test func interruptedAtOnceThereIsNoTable() async throws {
    let outcome = try await HeapBenchProcess.shell(
      """
      errors=$(mktemp); $heapbench run --profile web-server --scale 2 2> "$errors" & until [ -s "$errors" ]; do sleep 0.05; done
      kill -INT $!; wait $!; status=$?; cat "$errors" >&2; rm "$errors"; exit $status
      """)
    #expect(outcome.status == 130)
    #expect(!outcome.output.contains("policy"), "\(outcome.output)")
    #expect(outcome.errors.hasSuffix("heapbench: interrupted; nothing came of it\n"), "\(outcome.errors)")
  }
}
