import ArgumentParser
import FlyingFox
import FlyingSocks
import Foundation
import HeapBenchKit

/// Serves the figures of all heaps of this host to Prometheus.
struct ExporterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exporter",
    abstract: "Serves the heaps of all processes on libheaplab.so to Prometheus.",
    discussion: """
      GET /metrics reads every process at that moment and answers in OpenMetrics, or in Prometheus' older format for \
      those who do not ask for OpenMetrics. A process has 26 or 27 series, with the labels pid, start (its start in clock \
      ticks, which tells processes apart that had one number) and name; --classes adds two for each size class. With \
      --textfile it writes a file for node_exporter's textfile collector instead. docs/telemetry.md lists the figures, \
      and docs/telemetry has rules, a dashboard and a systemd unit.

      EXAMPLES
        heapbench exporter
        heapbench exporter --address 0.0.0.0 --port 9464
        heapbench exporter --textfile /var/lib/prometheus/node-exporter/heaplab.prom --interval 15
      """)

  @Option(name: .long, help: ArgumentHelp("The IPv4 address to listen at.", valueName: "address"))
  var address = "127.0.0.1"

  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp("The port; 0 for any, which is printed.", valueName: "number"))
  var port: UInt16 = 9464

  @Flag(name: .long, help: "Add the series of size classes.") var classes = false

  @Flag(
    name: .long,
    help: """
      Serve profiles of samples at /debug/pprof/heap?pid=PID, too: they show where the code of each process lies in memory \
      to everybody who reaches the port.
      """)
  var profiles = false

  @Option(
    name: .long,
    help: ArgumentHelp("Write the figures to a file, and serve nothing; '-' is standard output.", valueName: "file"))
  var textfile: String?

  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp("Seconds between two files, 1…3600.", valueName: "seconds"))
  var interval = 15

  @Flag(name: .long, help: "Write one file and end.") var once = false

  func validate() throws {
    guard (1...3600).contains(interval) else {
      throw UserError("--interval must be 1…3600 seconds, found \(interval)")
    }
    if once, textfile == nil { throw UserError("--once writes one file; name it with --textfile") }
  }

  func run() throws {
    if let textfile { return try write(to: textfile) }
    let (address, port, classes, profiles) = (address, port, classes, profiles)
    let place = try? SocketPlace.make(address, port)
    guard let place else { throw UserError("'\(address)' is no IPv4 address; '127.0.0.1' is this host alone") }
    try Interruptible.run { try await Self.serve(at: place, hasClasses: classes, hasProfiles: profiles) }
  }

  private static func text(_ hasClasses: Bool, _ format: OpenMetricsText.Format) -> String {
    OpenMetricsText(hasClasses: hasClasses, format: format).text
  }

  /// The profile of a process's samples, for google-pprof.
  private static func profile(_ pid: String?) -> HTTPResponse {
    func answer(_ status: HTTPStatusCode, _ text: String) -> HTTPResponse {
      HTTPResponse(statusCode: status, headers: [.contentType: "text/plain; charset=utf-8"], body: Data(text.utf8))
    }
    guard let pid, let process = Int32(pid), process > 0 else {
      return answer(.badRequest, "name a process, as in /debug/pprof/heap?pid=1234\n")
    }
    do {
      return answer(.ok, try HeapProfile(process, isNamed: false).pprof)
    } catch .notAllowed {
      return answer(.forbidden, "\(TelemetryError.notAllowed(process))\n")
    } catch {
      return answer(.notFound, "\(error)\n")
    }
  }

  private static func serve(at place: SocketPlace, hasClasses: Bool, hasProfiles: Bool) async throws {
    let server = HTTPServer(address: place.address, logger: .disabled)
    await server.appendRoute("GET /metrics") { (request: HTTPRequest) async throws -> HTTPResponse in
      let isOpen = request.headers[HTTPHeader("Accept")]?.contains("application/openmetrics-text") ?? false
      let format: OpenMetricsText.Format = isOpen ? .openMetrics : .prometheus
      return HTTPResponse(
        statusCode: .ok, headers: [.contentType: format.contentType], body: Data(text(hasClasses, format).utf8))
    }
    if hasProfiles {
      await server.appendRoute("GET /debug/pprof/heap") { (request: HTTPRequest) async -> HTTPResponse in
        profile(request.query.first { $0.name == "pid" }?.value)
      }
    }
    await server.appendRoute("GET /") { _ in
      HTTPResponse(
        statusCode: .ok, headers: [.contentType: "text/html; charset=utf-8"],
        body: Data("<title>heaplab</title><a href=\"/metrics\">the heaps of this host</a>\n".utf8))
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run() }
      group.addTask {
        try await server.waitUntilListening(timeout: 10)
        if case .ip4(_, let port)? = await server.listeningAddress {
          try StandardOutput.line("heapbench exporter listens at http://\(place.text):\(port)/metrics")
        }
      }
      do {
        try await group.waitForAll()
      } catch let error where !Task.isCancelled {
        throw UserError("cannot listen at \(place.text):\(place.port): \(error); choose another --port or --address")
      } catch {
        // Ctrl-C, or systemd's SIGTERM: the usual end of a server.
      }
    }
  }

  private func write(to path: String) throws {
    if path == Results.standardOutput { return try StandardOutput.write(Self.text(classes, .prometheus)) }
    try ResultFile.checkWritable(path, option: "--textfile")
    let (classes, interval, once) = (classes, interval, once)
    let writes = { @Sendable () async throws in
      repeat {
        // A rename: the collector must never see half a file.
        let new = "\(path).\(getpid())"
        try ResultFile.write(Data(Self.text(classes, .prometheus).utf8), to: new)
        // SAFETY: rename reads C strings.
        guard unsafe rename(new, path) == 0 else {
          throw UserError("cannot write '\(path)': \(SystemReason.text(errno)); name another file with --textfile")
        }
        if !once { try? await Task.sleep(for: .seconds(interval)) }
      } while !once && !Task.isCancelled
    }
    try Interruptible.run(writes)
  }
}

/// Where the server listens.
private struct SocketPlace: @unchecked Sendable {
  let text: String
  let port: UInt16
  let address: sockaddr_in

  static func make(_ text: String, _ port: UInt16) throws -> SocketPlace {
    SocketPlace(text: text, port: port, address: try .inet(ip4: text, port: port))
  }
}
