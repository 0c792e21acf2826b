import Foundation
import HeapBenchKit
import Testing

@Suite struct ProfileMistakesTests {
  /// A good profile; each test makes one mistake in it.
  static let good = """
    name: server
    summary: A server
    threads: 4
    populations:
      small:
        sizes: {uniform: {min: 8, max: 64}}
        lifetimes: exponential
        remote: 0.5
      large:
        sizes: {histogram: {4096: 0.5, 8192: 0.5}}
        lifetimes: fifo
        alignments: {64: 0.5}
    phases:
      - name: run
        requests: 100
        shares: {small: 0.75, large: 0.25}
        live: {small: 1 KiB, large: 16 KiB}
    """

  /// A text of the profile, its replacement, and the message that results.
  static let mistakes: [(String, String, String)] = [
    ("threads: 4", "threads: 0", "line 3: threads must be 1…256, found 0"),
    ("threads: 4", "threads: 257", "line 3: threads must be 1…256, found 257"),
    ("threads: 4", "threads: four", "line 3: threads must be a whole number 1…256, found 'four'"),
    ("threads: 4", "threads: 2.5", "line 3: threads must be a whole number 1…256, found 2.5"),
    ("threads: 4", "threads: [4]", "line 3: threads must be a whole number 1…256, found a list"),
    ("threads: 4", "threads:", "line 3: threads must be a whole number 1…256, found nothing"),
    ("threads: 4", "thread: 4", "line 3: a profile has no key 'thread'; did you mean 'threads'?"),
    (
      "threads: 4", "cores: 4",
      "line 3: a profile has no key 'cores'; it may have name, summary, threads, turn, populations, phases, repeat, adversary"
    ),
    ("threads: 4", "turn: 0", "line 3: turn must be 1…1000000, found 0"),
    ("threads: 4", "threads: 4\nrepeat: -1", "line 4: repeat must be 1…10000, found -1"),
    ("threads: 4", "threads: 1", "line 8: remote must be 0 in a profile of one thread, found 0.5"),
    ("threads: 4", "name: server", "line 1: a key may be there once, found 'name' again; remove one"),
    ("name: server", "name: sever", "line 1: name must be 'server', as the file's name, found 'sever'"),
    ("summary: A server\n", "", "line 1: a profile needs the key 'summary'"),
    ("summary: A server", "summary: ''", "line 2: summary must be text, found nothing"),
    ("max: 64}", "max: 4}", "line 6: max must be 8…1024 GiB, found 4"),
    ("max: 64}", "max: 64 kB}", "line 6: max must be a byte count as 64, 4 KiB or 16 MiB, found '64 kB'"),
    ("max: 64}", "max: 0.5}", "line 6: max must be a byte count as 64, 4 KiB or 16 MiB, found 0.5"),
    ("max: 64}", "max: -1}", "line 6: max must be a byte count as 64, 4 KiB or 16 MiB, found -1"),
    ("min: 8, ", "", "line 6: a uniform distribution needs the key 'min'"),
    ("min: 8, ", "min: 0, ", "line 6: min must be 1…1024 GiB, found 0"),
    ("min: 8, ", "min: 8, step: 8, ", "line 6: a uniform distribution has no key 'step'; it may have min, max"),
    (
      "uniform:", "unifrom:",
      "line 6: sizes must be one of fixed, uniform, logNormal, zipf, histogram, found 'unifrom'; did you mean 'uniform'?"
    ),
    (
      "sizes: {uniform: {min: 8, max: 64}}", "sizes: 8",
      "line 6: sizes must be one of fixed, uniform, logNormal, zipf, histogram, found 8"
    ),
    (
      "{uniform: {min: 8, max: 64}}", "{fixed: 8, uniform: {min: 8, max: 64}}",
      "line 6: sizes must be one of fixed, uniform, logNormal, zipf, histogram alone"
    ),
    (
      "uniform: {min: 8, max: 64}", "zipf: {min: 1, max: 4 MiB, step: 1, exponent: 1}",
      "line 6: step must be so large that there are at most 1048576 sizes, found 1"
    ),
    (
      "uniform: {min: 8, max: 64}", "logNormal: {median: 8, sigma: 9, min: 1, max: 64}",
      "line 6: sigma must be 0.01…5, found 9"
    ),
    (
      "lifetimes: exponential", "lifetimes: exponentail",
      "line 7: lifetimes must be one of exponential, bimodal, generational, lifo, fifo, found 'exponentail'"
        + "; did you mean 'exponential'?"
    ),
    (
      "lifetimes: exponential", "lifetimes: {lifo: {mean: 3}}",
      "line 7: lifo lifetimes have no parameters; write 'lifetimes: lifo'"
    ),
    (
      "lifetimes: exponential", "lifetimes: {bimodal: {shortShare: 1.5, shortMean: 3}}",
      "line 7: shortShare must be 0…1, found 1.5"
    ),
    ("remote: 0.5", "remote: 1.5", "line 8: remote must be 0…1, found 1.5"),
    ("remote: 0.5", "remote: half", "line 8: remote must be a number 0…1, found 'half'"),
    ("remote: 0.5", "remote: nan", "line 8: remote must be a number 0…1, found nan"),
    (
      "remote: 0.5", "allocatedBy: 2-5",
      "line 8: allocatedBy must be a thread or a range of threads within 0-3, found '2-5'"
    ),
    (
      "remote: 0.5", "remote: 0.5\n    freedBy: 1",
      "line 8: a population has either the key 'remote' or the key 'freedBy'"
    ),
    ("8192: 0.5}", "8192: 0.4}", "line 10: the shares of histogram must add up to 1, found 0.9"),
    (
      "8192: 0.5}", "64-32: 0.5}",
      "line 10: a bin must be a size or a range of sizes as 64 or 64-127, found '64-32'"
    ),
    ("{64: 0.5}", "{48: 0.5}", "line 12: an alignment must be a power of two 1…1 GiB, found '48'"),
    ("{64: 0.5}", "{64: 0.5, 32: 0.6}", "line 12: the shares of alignments must add up to at most 1, found 1.1"),
    (
      "alignments: {64: 0.5}", "wave: {shape: sine, depth: 1, every: 8}",
      "line 12: shape must be one of triangle, sawtooth, found 'sine'"
    ),
    (
      "alignments: {64: 0.5}", "reallocation: {share: 0.5, factor: 0, max: 8}",
      "line 12: factor must be 0.01…100, found 0"
    ),
    ("requests: 100", "requests: 0", "line 15: requests must be 1…1000000000, found 0"),
    ("large: 0.25}", "large: 0.5}", "line 16: the shares must add up to 1, found 1.25"),
    ("large: 0.25}", "larg: 0.25}", "line 16: shares has no key 'larg'; did you mean 'large'?"),
    (
      "shares: {small: 0.75, large: 0.25}\n    ", "",
      "line 14: a phase needs the key 'shares' when there are several populations"
    ),
    ("small: 1 KiB", "small: lots", "line 17: small must be a byte count as 64, 4 KiB or 16 MiB, found 'lots'"),
    (
      "phases:\n", "adversary: {robson: {live: 1 MiB, unit: 64, max: 4 KiB}}\nphases:\n",
      "line 5: a profile with an adversary cannot have the key 'populations'"
    ),
  ]

  @Test(arguments: mistakes) func aMistakeIsNamedWithItsLineAndWhatIsAllowed(
    _ text: String, by replacement: String, message: String
  ) throws {
    let yaml = Self.good.replacingOccurrences(of: text, with: replacement)
    try #require(yaml != Self.good)
    #expect(Self.message(reading: yaml) == "profile 'server' \(message)")
  }

  @Test func theGoodProfileIsGood() { #expect(Self.message(reading: Self.good) == nil) }

  static let adversaries: [(String, String)] = [
    ("{live: 1 MiB, unit: 40, max: 4 KiB}", "line 4: unit must be a multiple of 16, found 40"),
    ("{live: 1 MiB, unit: 64, max: 192}", "line 4: max must be the unit times a power of two, found 192"),
    ("{live: 1 KiB, unit: 64, max: 4 KiB}", "line 4: live must be 4 KiB…1024 GiB, found '1 KiB'"),
    ("{live: 1 MiB, unit: 64}", "line 4: robson needs the key 'max'"),
  ]

  @Test(arguments: adversaries) func aMistakeInAnAdversaryIsNamed(_ text: String, message: String) {
    let yaml = "name: server\nsummary: s\nadversary:\n  robson: \(text)\n"
    #expect(Self.message(reading: yaml) == "profile 'server' \(message)")
  }

  static let noYAML: [(String, String)] = [
    ("", "is empty; it must have keys of a profile"),
    ("- a\n- b\n", "line 1: a profile must be keys of a profile, found a list"),
    (
      "name: [a\n",
      "line 2: no YAML: did not find expected ',' or ']'; check the indentation, colons and quotes up to here"
    ),
    (
      "name: 'a\n",
      "line 2: no YAML: found unexpected end of stream; check the indentation, colons and quotes up to here"
    ),
    (
      "a: b: c\n",
      "line 1: no YAML: mapping values are not allowed in this context; check the indentation, colons and quotes up to here"
    ),
  ]

  @Test(arguments: noYAML) func aTextThatIsNoYAMLIsRefused(_ yaml: String, message: String) {
    #expect(Self.message(reading: yaml) == "profile 'server' \(message)")
  }

  @Test func aFileThatCannotBeReadIsNamed() throws {
    try WorkloadFiles.withFile("server.yaml", [0x6E, 0xFF, 0xFE]) { path in
      #expect { try Profile(path: path) } throws: { error in
        "\(error)" == "profile '\(path)' is no text in UTF-8; save it as such"
      }
    }
    #expect { try Profile(path: "/nowhere/server.yaml") } throws: { error in
      "\(error)" == "profile '/nowhere/server.yaml' cannot be read: No such file or directory"
    }
  }

  /// The error message of reading `yaml` as the profile `server`; nil without an error.
  static func message(reading yaml: String) -> String? {
    do throws(ProfileError) {
      _ = try Profile(name: "server", yaml: yaml)
      return nil
    } catch {
      return error.description
    }
  }
}
