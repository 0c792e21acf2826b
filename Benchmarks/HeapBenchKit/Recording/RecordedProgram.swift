import CLabBench
import Foundation

/// A program that runs under libheaplab-record.so, with its standard files and its terminal.
public struct RecordedProgram: Sendable {
  /// Why a program cannot be recorded.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  /// How the program ended.
  public struct Ending: Sendable {
    /// The exit status, as a shell shows it: 128 and the signal's number for a program that a signal ended.
    public let status: Int32
    /// The process's number.
    let process: Int
    /// The nanoseconds of one tick of the recorder's clock.
    let nanosecondsPerTick: Double
  }

  /// The folder that takes the raw records.
  public let folder: String
  private let words: [String]
  private let library: String
  private let options: RecordingOptions

  /// A program with its arguments, whose raw records go to a new folder beside `output`.
  ///
  /// - Throws: ``Failure`` when the library is missing or the folder cannot be made.
  public init(_ words: [String], output: String, _ options: RecordingOptions) throws(Failure) {
    self.words = words
    self.options = options
    guard options.frameCountMax == 0 || RecordingOptions.canUnwind else {
      throw Failure(
        description: "--stacks needs libunwind.so.8, which is not installed: as root, run apt-get install libunwind8")
    }
    library = "\(DriverProcess.folder)/libheaplab-record.so"
    guard FileManager.default.isReadableFile(atPath: library) else {
      throw Failure(
        description: "no libheaplab-record.so at '\(library)'; build it with "
          + "'swift build -c release --product heaplab-record'")
    }
    let parent = URL(filePath: output).deletingLastPathComponent().path
    let name = URL(filePath: output).lastPathComponent
    folder = "\(parent)/.\(name).\(getpid()).raw"
    // Other users may write: a server may change its user after its start. Nobody may remove another's file.
    // SAFETY: both read a C string.
    guard unsafe mkdir(folder, 0o1777) == 0, unsafe chmod(folder, 0o1777) == 0 else {
      throw Failure(description: "cannot make folder '\(folder)': \(systemText(errno)); name another file with -o")
    }
  }

  /// Runs the program to its end. Ctrl-C reaches the program alone, and a SIGTERM is passed on.
  public func run() throws(Failure) -> Ending {
    let old = ProcessInfo.processInfo.environment["LD_PRELOAD"].map { " \($0)" } ?? ""
    let changes = [
      "LD_PRELOAD": library + old, "HEAPLAB_RECORD": folder, "HEAPLAB_RECORD_STACKS": "\(options.frameCountMax)",
      "HEAPLAB_RECORD_SAMPLE": "\(options.sampleByteCount)",
    ]
    let environment = ProcessInfo.processInfo.environment.merging(changes) { $1 }.map { "\($0.key)=\($0.value)" }
    let beat = RecordingBeat(folder: folder)
    defer { beat.stop() }
    let start = (ticks: lab_clock_ticks(), nanoseconds: lab_clock_nanoseconds())
    var process = pid_t()
    var attributes = posix_spawnattr_t()
    var defaults = sigset_t()
    // SAFETY: the structures are this function's own.
    unsafe posix_spawnattr_init(&attributes)
    unsafe sigemptyset(&defaults)
    for signal in [SIGINT, SIGQUIT, SIGPIPE] { _ = unsafe sigaddset(&defaults, signal) }
    unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
    signal(SIGINT, SIG_IGN)
    signal(SIGQUIT, SIG_IGN)
    // SAFETY: the lists are C strings with a null at the end, and live through the call.
    let code = unsafe Self.withCStrings(words) { arguments in
      unsafe Self.withCStrings(environment) { environment in
        unsafe posix_spawnp(&process, words[0], nil, &attributes, arguments, environment)
      }
    }
    guard code == 0 else { throw Failure(description: "cannot start '\(words[0])': \(systemText(code))") }
    let forward = DispatchSource.makeSignalSource(signal: SIGTERM, queue: .global())
    signal(SIGTERM, SIG_IGN)
    forward.setEventHandler { [process] in kill(process, SIGTERM) }
    forward.resume()
    var status: Int32 = 0
    // SAFETY: the out-parameter is this function's own.
    while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
    forward.cancel()
    let elapsed = (ticks: lab_clock_ticks() &- start.ticks, nanoseconds: lab_clock_nanoseconds() - start.nanoseconds)
    let nanosecondsPerTick = elapsed.ticks == 0 ? 1 : Double(elapsed.nanoseconds) / Double(elapsed.ticks)
    return Ending(
      status: status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + (status & 0x7F), process: Int(process),
      nanosecondsPerTick: nanosecondsPerTick)
  }

  /// Passes the strings as a list of C strings that ends with a null.
  @unsafe private static func withCStrings<Value>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Value
  ) -> Value {
    let count = strings.count
    let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: count + 1)
    // SAFETY: there is a place for each string and for the null; `strdup` gives memory that `free` takes.
    for index in 0..<count { unsafe (pointers + index).initialize(to: strdup(strings[index])) }
    unsafe (pointers + count).initialize(to: nil)
    defer {
      // SAFETY: as above; nothing uses the list after the body.
      for index in 0..<count { unsafe free(pointers[index]) }
      unsafe pointers.deallocate()
    }
    // SAFETY: as above.
    return unsafe body(pointers)
  }
}
