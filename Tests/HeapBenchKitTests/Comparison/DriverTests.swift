import Foundation
import Testing

@testable import HeapBenchKit

/// The driver itself: every workload runs at a small size, and the driver obeys its arguments.
@Suite struct DriverTests {
  @Test func everyWorkloadRuns() async throws {
    let driver = try DriverProcess(path: BuiltDriver.path)
    let workloads = try await driver.workloads()
    #expect(Set(workloads.map(\.name)).count == workloads.count)
    for (name, kind) in workloads {
      let operationCount = name.hasPrefix("buffer-") ? 2 : 500
      let size = kind == .speed ? ["--operations", "\(operationCount)"] : ["--percent", "1"]
      let figures = try await driver.run(DriverCommand(arguments: ["run", name] + size), under: .glibc)
      #expect(figures.nanoseconds > 0, "\(name)")
      switch kind {
      case .speed: #expect(figures.operations == operationCount, "\(name)")
      case .idle:
        #expect(figures.threads == 5 && figures.operations == 5 * 100 * 40)
        // Each thread has a stack.
        let idle = try #require(figures.idleKiBPerThread)
        let trimmed = try #require(figures.trimmedKiBPerThread)
        #expect(idle >= 4 && trimmed >= 4 && trimmed <= idle + 4, "\(idle), then \(trimmed)")
      case .latency:
        for latency in [figures.mallocLatency, figures.freeLatency] {
          let latency = try #require(latency, "\(name)")
          #expect(latency.calls == figures.operations && latency.calls == 20_000)
          let times = CallLatency.quantiles.map { $0.picoseconds(latency) }
          #expect(times == times.sorted() && times[4] > 0 && times[4] / 1000 <= figures.nanoseconds, "\(times)")
        }
      case .process:
        // The driver and the C library take about a megabyte.
        let resident = try #require(figures.peakResidentByteCount)
        #expect((300_000...20_000_000).contains(resident), "\(resident)")
      case .stall:
        let slowest = try #require(figures.slowestNanoseconds, "\(name)")
        #expect(figures.operations > 0 && slowest > 0 && slowest <= figures.nanoseconds, "\(name)")
      default:
        let live = try #require(figures.peakLiveByteCount, "\(name)")
        let resident = try #require(figures.peakResidentByteCount, "\(name)")
        // Every byte was written and so was resident at some time. The kernel's counts may lag by some pages.
        #expect(live > 40_000 && resident > live / 2, "\(name): \(resident) of \(live)")
        #expect(try #require(figures.endLiveByteCount) <= live, "\(name)")
      }
    }
  }

  @Test(arguments: ["own-batches", "remote-frees", "producer-consumer-64", "larson-servers"])
  func threadsCanBeChosen(name: String) async throws {
    for threads in [1, 3, 7] {
      let figures = try await BuiltDriver.run("run", name, "--operations", "2000", "--threads", "\(threads)")
      #expect(figures.threads == threads && figures.operations == 2000)
    }
  }

  @Test func footprintsRepeatToTheByte() async throws {
    let first = try await BuiltDriver.run("run", "sawtooth", "--percent", "1")
    let second = try await BuiltDriver.run("run", "sawtooth", "--percent", "1")
    #expect(first.operations == second.operations)
    #expect(first.peakLiveByteCount == second.peakLiveByteCount)
    #expect(first.endLiveByteCount == second.endLiveByteCount)
  }

  @Test func tracesAreReplayedWhollyOrInPart() async throws {
    let path = WorkloadFiles.trace("perl-hash")
    let whole = try await BuiltDriver.run("run", path)
    #expect(whole.operations == 355_647 && whole.threads == 1)
    #expect(try await BuiltDriver.run("run", path, "--operations", "1000").operations == 1000)
    let threaded = try await BuiltDriver.run("run", WorkloadFiles.trace("node-zlib-threads"))
    #expect(threaded.operations == 1_000_000 && threaded.threads == 10)
  }

  /// Each class of libheaplab has spans of its own, and sizes from 16 to 512 bytes have some twenty classes.
  @Test(arguments: [("random-slots-16-512", 20...60), ("random-slots-257-512", 4...12), ("pairs-64", 1...3)])
  func drawnSizesAreOfAllClasses(workload: String, spans: ClosedRange<Int>) async throws {
    let outcome = try await HeapBenchProcess.shell(
      """
      export LD_PRELOAD="$(dirname "$heapbench")/libheaplab.so" HEAPLAB_STATS=1
      exec "$heapbench-driver" run \(workload) --operations 2000
      """)
    let count = try #require(outcome.errors.firstMatch(of: /(\d+) spans/).flatMap { Int($0.1) }, "\(outcome.errors)")
    #expect(spans.contains(count), "\(outcome.errors)")
  }

  @Test func aMissingSizedFreeIsSaid() async throws {
    let driver = try DriverProcess(path: BuiltDriver.path)
    let heaplab = ComparedAllocator(name: "heaplab", library: "\(DriverProcess.folder)/libheaplab.so")
    func unsizedFrees(_ workload: String, under allocator: ComparedAllocator) async throws -> Int? {
      let command = DriverCommand(arguments: ["run", workload, "--operations", "20000"])
      return try await driver.run(command, under: allocator).unsizedFrees
    }
    // SAFETY: the name is a C string, and the address is only compared.
    let isInLibrary = unsafe dlsym(nil, "free_sized") != nil
    #expect(try await unsizedFrees("larson-sized-1", under: .glibc) == (isInLibrary ? nil : 1))
    #expect(try await unsizedFrees("larson-1", under: .glibc) == nil)
    #expect(try await unsizedFrees("larson-sized-1", under: heaplab) == nil)
  }

  @Test func timeIsWhatItIsToldToTake() async throws {
    let figures = try await BuiltDriver.run("run", "pairs-64", "--milliseconds", "20")
    #expect((2_000_000...2_000_000_000).contains(figures.nanoseconds))
  }

  @Test func programsAreTimed() async throws {
    let driver = try DriverProcess(path: BuiltDriver.path)
    let command = DriverCommand(arguments: ["time", "--repeat", "3", "true"], isProgram: true)
    let figures = try await driver.run(command, under: .glibc)
    #expect(figures.operations == 3 && figures.minorFaultCount > 0)
    #expect(try #require(figures.peakResidentByteCount) > 100_000)
  }

  @Test(arguments: [
    ([], "say 'heapbench-driver list' or 'heapbench-driver run NAME'"),
    (["go"], "knows 'list', 'run', 'tail', 'press', 'replay' and 'time', not 'go'"),
    (["run"], "say which workload: 'heapbench-driver list' shows them"),
    (["run", "pears-64"], "no workload is called 'pears-64'; 'heapbench-driver list' shows them"),
    (["run", "pairs-64", "--operations", "0"], "needs a number from 1 after its option, found '0'"),
    (["run", "pairs-64", "--operations"], "needs a number after '--operations'"),
    (["run", "pairs-64", "--threads", "2"], "this workload has its own threads: leave --threads out"),
    (["run", "sawtooth", "--percent", "101"], "--percent must be 1…100, found 101 percent"),
    (["run", "replace-40-400KB-8", "--threads", "2"], "this workload has its own threads: leave --threads out"),
    (
      ["run", "sawtooth", "--operations", "1"], "this workload does a fixed amount of work; --percent makes it smaller"
    ),
    (
      ["run", "idle-threads", "--threads", "1"], "this workload does a fixed amount of work; --percent makes it smaller"
    ),
    (["run", "frees-64MiB", "--milliseconds", "1"], "this workload does a fixed amount of work; --percent makes it"),
    (["run", "/nowhere/x.hltrace"], "cannot read trace '/nowhere/x.hltrace'"),
    (["time"], "say which program to time"),
    (["time", "false"], "the program failed 1 as its exit status"),
    (["time", "sh", "-c", "kill -11 $$"], "the program was ended by signal 11 by its number"),
  ])
  func mistakesAreOneLine(arguments: [String], line: String) async throws {
    let failure = await #expect(throws: MeasurementFailure.self) {
      try await DriverProcess(path: BuiltDriver.path).run(DriverCommand(arguments: arguments), under: .glibc)
    }
    #expect(failure?.description.hasPrefix(line) == true, "\(failure?.description ?? "")")
  }

  @Test func aMissingDriverIsNamed() {
    #expect(throws: ComparisonError.noDriver(path: "/nowhere/driver")) { try DriverProcess(path: "/nowhere/driver") }
  }

  /// The loader only warns and goes on with the C library's allocator, whose figures must not pass for another's.
  @Test func whatCannotBePreloadedIsNoMeasurement() async throws {
    let driver = try DriverProcess(path: BuiltDriver.path)
    let absent = ComparedAllocator(name: "absent", library: "/nowhere/lib.so")
    for command in [
      DriverCommand(arguments: ["run", "pairs-64", "--operations", "10"]),
      DriverCommand(arguments: ["time", "true"], isProgram: true),
    ] {
      await #expect(throws: MeasurementFailure("the loader cannot preload it")) {
        try await driver.run(command, under: absent)
      }
    }
  }

  @Test func whatTakesTooLongIsStopped() async throws {
    var driver = try DriverProcess(path: BuiltDriver.path)
    driver.timeLimit = .seconds(1)
    await #expect(throws: MeasurementFailure("took more than 1 s and was stopped")) {
      try await driver.run(DriverCommand(arguments: ["time", "sleep", "20"], isProgram: true), under: .glibc)
    }
  }
}
