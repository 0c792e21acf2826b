import CLabBench
import Foundation

/// Finds the names of functions by `llvm-symbolizer`, which reads symbol tables and debug information.
struct Symbolizer {
  private let program: String

  /// The symbolizer that is installed, by its name or by a version's; nil where none is.
  init?() {
    let names = ["llvm-symbolizer"] + (13...30).reversed().map { "llvm-symbolizer-\($0)" }
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
    let paths = names.lazy.flatMap { name in folders.lazy.map { "\($0)/\(name)" } }
    guard let path = paths.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else { return nil }
    program = path
  }

  /// Names the frames whose module has names for them.
  func name(_ frames: inout [CallStackTable.Frame]) {
    let byModule = Dictionary(grouping: frames.indices.filter { frames[$0].module != nil }) { frames[$0].module ?? "" }
    for (module, places) in byModule.sorted(by: { $0.key < $1.key }) where module.hasPrefix("/") {
      // A return address may belong to the line after the call.
      let answers = answers(for: places.map { frames[$0].offset &- 1 }, in: module)
      for (place, answer) in zip(places, answers) {
        guard let symbol = answer.symbols.first else { continue }
        if !symbol.function.isEmpty { frames[place].function = Self.demangled(symbol.function) }
        if !symbol.file.isEmpty { (frames[place].file, frames[place].line) = (symbol.file, symbol.line) }
      }
    }
  }

  private struct Answer: Decodable {
    struct Symbol: Decodable {
      let function: String
      let file: String
      let line: Int

      enum CodingKeys: String, CodingKey {
        case function = "FunctionName"
        case file = "FileName"
        case line = "Line"
      }
    }

    let symbols: [Symbol]

    enum CodingKeys: String, CodingKey { case symbols = "Symbol" }
  }

  /// An answer for each address; none where the symbolizer fails.
  private func answers(for addresses: [UInt64], in module: String) -> [Answer] {
    guard FileManager.default.isReadableFile(atPath: module) else { return [] }
    let input = FileManager.default.temporaryDirectory.appending(path: "heapbench-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: input) }
    let text = addresses.map { "0x" + String($0, radix: 16) }.joined(separator: "\n") + "\n"
    guard (try? Data(text.utf8).write(to: input)) != nil, let file = try? FileHandle(forReadingFrom: input) else {
      return []
    }
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: program)
    process.arguments = ["--obj=\(module)", "--output-style=JSON", "--no-inlines"]
    process.standardInput = file
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil, let data = try? output.fileHandleForReading.readToEnd() else { return [] }
    process.waitUntilExit()
    let decoder = JSONDecoder()
    let answers = data.split(separator: 0x0A).compactMap { try? decoder.decode(Answer.self, from: $0) }
    return answers.count == addresses.count ? answers : []
  }

  /// A Swift name in Swift's words; any other as it is, since the symbolizer has demangled C++ and Rust.
  private static func demangled(_ name: String) -> String {
    guard name.hasPrefix("$s") || name.hasPrefix("$e") || name.hasPrefix("$S") else { return name }
    // SAFETY: the name is a C string during the call; the result is a C string that malloc gave.
    guard let text = unsafe lab_swift_demangle(name, strlen(name)) else { return name }
    defer { unsafe free(text) }
    return unsafe String(cString: text)
  }
}
