import Foundation
import LabTestSupport
import Testing

@testable import ProcessHeap

/// The settings as a process of its own reads them from its environment.
@Suite("Settings")
struct SettingsTests {
  /// What an environment makes of the settings: what differs from the default, and the warnings.
  struct Case: Codable, Sendable, CustomStringConvertible {
    var variables: [String: String]
    var policy = "general"
    var limit: UInt = .max
    var delay: UInt = 100
    var purgesInBackground = false
    var reserves = false
    var showsStatistics = false
    var sampleMean: UInt = 0
    var warnings: [String] = []

    var description: String { variables.map { "\($0)=\($1)" }.sorted().joined(separator: " ") }

    /// One variable, and a warning about it unless `complaint` is empty.
    init(_ name: String, _ value: String, complaint: String = "") {
      variables = ["HEAPLAB_\(name)": value]
      if !complaint.isEmpty { warnings = ["heaplab: HEAPLAB_\(name)=\(value.prefix(60)) \(complaint)"] }
    }

    func with(_ change: (inout Case) -> Void) -> Case {
      var copy = self
      change(&copy)
      return copy
    }

    /// Whether the environment of this process has been read as expected.
    func agrees(with settings: Settings) -> Bool {
      let policies: [ServingPolicy: String] = [.general: "general", .firstFit: "firstfit", .buddy: "buddy"]
      return policies[settings.policy] == policy && settings.limitByteCount == limit
        && settings.purgeDelayMilliseconds == delay && settings.purgesInBackground == purgesInBackground
        && settings.reservesAddressSpace == reserves && settings.showsStatistics == showsStatistics
        && settings.sampleMean == sampleMean
    }
  }

  /// Reads the settings in a process with this environment and no other variable of the heap's.
  private static func check(_ expected: Case, _ location: SourceLocation = #_sourceLocation) async {
    let result = await #expect(
      processExitsWith: .success, observing: [\.standardErrorContent], sourceLocation: location
    ) { [expected] in
      for name in ["POLICY", "LIMIT", "PURGE_DELAY", "BACKGROUND", "RESERVE", "STATS", "SAMPLE"] {
        unsetenv("HEAPLAB_\(name)")
      }
      for (name, value) in expected.variables { setenv(name, value, 1) }
      let settings = Settings.fromEnvironment()
      #expect(expected.agrees(with: settings), "\(settings)")
    }
    let lines = text(of: result).split(separator: "\n").filter { $0.hasPrefix("heaplab: ") }
    #expect(lines.map(String.init) == expected.warnings, sourceLocation: location)
  }

  @Test("An empty environment leaves every setting as it is")
  func none() async {
    await Self.check(Case("OTHER", "1").with { $0.variables = [:] })
  }

  private static let policies =
    [
      Case("POLICY", "general"), Case("POLICY", "firstfit").with { $0.policy = "firstfit" },
      Case("POLICY", "buddy").with { $0.policy = "buddy" },
    ]
    + ["", "Buddy", "bud", "buddyx", "firstfit ", "general,buddy"].map {
      Case("POLICY", $0, complaint: "is none of general, firstfit and buddy; it is general")
    }

  @Test("A policy is named exactly", arguments: policies)
  func policy(expected: Case) async { await Self.check(expected) }

  private static let limits =
    [
      ("1", 1), ("4096", 4096), ("0512", 512), ("3k", 3 << 10), ("512M", 512 << 20), ("512m", 512 << 20),
      ("3g", 3 << 30), ("1T", 1 << 40), ("16777215T", 16_777_215 << 40), ("18446744073709551615", .max),
    ].map { (value: String, limit: UInt) in Case("LIMIT", value).with { $0.limit = limit } }
    + [
      "", "0", "0K", "M", "-1", "+1", " 1", "1 ", "1KB", "1KiB", "12X", "1e9", "0x10", "1.5G", "16777216T",
      "18446744073709551616", "99999999999999999999999",
    ].map { Case("LIMIT", $0, complaint: "is no byte count such as 512M; there is no limit") }

  @Test("A limit is a number of bytes above 0, with a unit at most", arguments: limits)
  func limit(expected: Case) async { await Self.check(expected) }

  private static let samples =
    [("0", 0), ("1", 1), ("512K", 512 << 10), ("64g", 64 << 30)].map { (value: String, mean: UInt) in
      Case("SAMPLE", value).with { $0.sampleMean = mean }
    }
    + ["", "-1", "yes", "1KB", "65G", "1T", "16777216T"].map {
      Case("SAMPLE", $0, complaint: "is no byte count such as 512K, of at most 64G; nothing is sampled")
    }
    + [
      Case("SAMPLE", "512K").with {
        $0.variables["HEAPLAB_POLICY"] = "buddy"
        ($0.policy, $0.sampleMean) = ("buddy", 512 << 10)
        $0.warnings = ["heaplab: HEAPLAB_SAMPLE=512K needs HEAPLAB_POLICY=general; nothing is sampled"]
      }
    ]

  @Test("The mean between samples is a number of bytes up to 64 GiB, under the general policy", arguments: samples)
  func sample(expected: Case) async { await Self.check(expected) }

  private static let delays =
    [("0", 0), ("1", 1), ("250", 250), ("4294967295", 4_294_967_295)].map { (value: String, delay: UInt) in
      Case("PURGE_DELAY", value).with { $0.delay = delay }
    }
    + ["4294967296", "18446744073709551615"].map {
      Case("PURGE_DELAY", $0, complaint: "is more milliseconds than 4294967295; it is these")
        .with { $0.delay = 4_294_967_295 }
    }
    + ["", "-1", "1s", "1K", "soon", "18446744073709551616"].map {
      Case("PURGE_DELAY", $0, complaint: "is no number of milliseconds; it is 100")
    }

  @Test("A delay is a number of milliseconds, 49 days at most", arguments: delays)
  func purgeDelay(expected: Case) async { await Self.check(expected) }

  private static let flags =
    [
      Case("BACKGROUND", "0"), Case("BACKGROUND", "1").with { $0.purgesInBackground = true },
      Case("RESERVE", "0"), Case("RESERVE", "1").with { $0.reserves = true },
      Case("STATS", "0"), Case("STATS", "1").with { $0.showsStatistics = true },
    ]
    + ["", "2", "01", "yes", "-1"].flatMap { value in
      [
        Case("BACKGROUND", value, complaint: "is neither 0 nor 1; it is 0"),
        Case("RESERVE", value, complaint: "is neither 0 nor 1; it is 0"),
        Case("STATS", value, complaint: "is neither 0 nor 1; it is 0"),
      ]
    }

  @Test("A flag is 0 or 1", arguments: flags)
  func flag(expected: Case) async { await Self.check(expected) }

  @Test("A warning shows 60 bytes of a value", arguments: [59, 60, 61, 5000])
  func longValue(byteCount: Int) async {
    let value = String(repeating: "y", count: byteCount)
    await Self.check(Case("STATS", value, complaint: "is neither 0 nor 1; it is 0"))
  }

  @Test("Each variable is read by itself: all wrong is six lines, all right is none")
  func all() async {
    let wrong = ["POLICY", "LIMIT", "PURGE_DELAY", "BACKGROUND", "RESERVE", "STATS"].map { ("HEAPLAB_\($0)", "?") }
    await Self.check(
      Case("OTHER", "1").with {
        $0.variables = Dictionary(uniqueKeysWithValues: wrong)
        $0.warnings = [
          "heaplab: HEAPLAB_POLICY=? is none of general, firstfit and buddy; it is general",
          "heaplab: HEAPLAB_LIMIT=? is no byte count such as 512M; there is no limit",
          "heaplab: HEAPLAB_PURGE_DELAY=? is no number of milliseconds; it is 100",
          "heaplab: HEAPLAB_BACKGROUND=? is neither 0 nor 1; it is 0",
          "heaplab: HEAPLAB_RESERVE=? is neither 0 nor 1; it is 0",
          "heaplab: HEAPLAB_STATS=? is neither 0 nor 1; it is 0",
        ]
      })
    await Self.check(
      Case("OTHER", "1").with {
        $0.variables = [
          "HEAPLAB_POLICY": "buddy", "HEAPLAB_LIMIT": "2G", "HEAPLAB_PURGE_DELAY": "7", "HEAPLAB_BACKGROUND": "1",
          "HEAPLAB_RESERVE": "1", "HEAPLAB_STATS": "1",
        ]
        ($0.policy, $0.limit, $0.delay) = ("buddy", 2 << 30, 7)
        ($0.purgesInBackground, $0.reserves, $0.showsStatistics) = (true, true, true)
      })
  }
}
