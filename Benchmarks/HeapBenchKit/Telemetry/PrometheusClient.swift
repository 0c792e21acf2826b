import Foundation

/// Asks a Prometheus server, by HTTP/1.0: its answer then comes whole, and the end of the connection is its end.
public struct PrometheusClient: Sendable {
  /// Why a question has no answer.
  public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
    case address(String)
    case connection(String, String)
    case answer(String, String)

    public var description: String {
      switch self {
      case .address(let url):
        "'\(url)' is no address of a Prometheus, such as http://localhost:9090; https needs a proxy"
      case .connection(let url, let reason): "cannot ask \(url): \(reason); is it a Prometheus, and does it run?"
      case .answer(let url, let text): "\(url) answers: \(text)"
      }
    }
  }

  /// A series with its latest value.
  public struct Sample: Sendable {
    public let labels: [String: String]
    public let value: Double
  }

  private let url: String
  private let host: String
  private let port: String
  private let path: String
  private static let secondsMaximum = 30

  /// The server at an address such as `http://localhost:9090`.
  public init(_ url: String) throws(Failure) {
    guard let parts = URLComponents(string: url), parts.scheme == "http", let host = parts.host, !host.isEmpty else {
      throw .address(url)
    }
    self.url = url
    self.host = host
    port = "\(parts.port ?? 80)"
    path = parts.path.hasSuffix("/") ? String(parts.path.dropLast()) : parts.path
  }

  /// The samples that a PromQL expression selects now.
  public func samples(_ expression: String) throws(Failure) -> [Sample] {
    let answer = try get("\(path)/api/v1/query?query=\(Self.escaped(expression))")
    guard let body = answer.range(of: Data("\r\n\r\n".utf8)),
      let document = try? JSONDecoder().decode(Answer.self, from: answer[body.upperBound...])
    else { throw .answer(url, String(decoding: answer.prefix(80), as: UTF8.self).prefix { !$0.isNewline }.description) }
    guard let result = document.data?.result else { throw .answer(url, document.error ?? "no result") }
    return result.compactMap { series in
      series.value.value.map { Sample(labels: series.metric, value: $0) }
    }
  }

  private struct Answer: Decodable {
    struct Series: Decodable {
      let metric: [String: String]
      let value: Point
    }
    struct Result: Decodable { let result: [Series] }
    let data: Result?
    let error: String?
  }

  /// `[time, "value"]`
  private struct Point: Decodable {
    let value: Double?
    init(from decoder: any Decoder) throws {
      var list = try decoder.unkeyedContainer()
      _ = try list.decode(Double.self)
      value = Double(try list.decode(String.self))
    }
  }

  private static func escaped(_ text: String) -> String {
    let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
    return text.utf8.reduce(into: "") { result, byte in
      result += plain.contains(byte) ? String(UnicodeScalar(byte)) : String(format: "%%%02X", byte)
    }
  }

  private func get(_ target: String) throws(Failure) -> Data {
    let descriptor = try connected()
    defer { close(descriptor) }
    var limit = timeval(tv_sec: Self.secondsMaximum, tv_usec: 0)
    // SAFETY: C reads a struct of this size.
    _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var request = Array("GET \(target) HTTP/1.0\r\nHost: \(host):\(port)\r\nAccept: application/json\r\n\r\n".utf8)[...]
    while !request.isEmpty {
      // SAFETY: the buffer has so many bytes.
      let count = unsafe request.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { throw .connection(url, Self.reason) }
      request = request.dropFirst(count)
    }
    var answer = Data()
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      // SAFETY: as above.
      let count = unsafe recv(descriptor, &chunk, chunk.count, 0)
      guard count >= 0 else { throw .connection(url, Self.reason) }
      if count == 0 { return answer }
      answer += chunk[..<count]
    }
  }

  /// The system's words for the last error.
  private static var reason: String {
    // SAFETY: strerror returns a C string that stays valid until the next call on this thread.
    unsafe String(cString: strerror(errno))
  }

  /// A socket to the first of the host's addresses that answers.
  private func connected() throws(Failure) -> Int32 {
    // SAFETY: a struct of zeros asks for nothing.
    var hints = unsafe addrinfo()
    // SAFETY: the field is a number.
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>? = nil
    // SAFETY: C reads C strings and the hints, and makes a list, which is freed below.
    let code = unsafe getaddrinfo(host, port, &hints, &list)
    // SAFETY: the texts are constant.
    guard code == 0 else { throw .connection(url, unsafe String(cString: gai_strerror(code))) }
    // SAFETY: the list is the one made above.
    defer { unsafe freeaddrinfo(list) }
    var reason = "no address"
    // SAFETY: the list ends with a null pointer, and its elements stay until it is freed.
    var next = unsafe list
    while let place = unsafe next {
      let descriptor = unsafe socket(place.pointee.ai_family, place.pointee.ai_socktype, place.pointee.ai_protocol)
      if descriptor >= 0 {
        if unsafe connect(descriptor, place.pointee.ai_addr, place.pointee.ai_addrlen) == 0 { return descriptor }
        reason = Self.reason
        close(descriptor)
      }
      // SAFETY: as above.
      unsafe next = place.pointee.ai_next
    }
    throw .connection(url, reason)
  }
}
