import Foundation

/// The processor's model, without which a time says little.
enum ProcessorModel {
  /// The model of this machine's first processor, and how many may run this process.
  static var current: String {
    let data = FileHandle(forReadingAtPath: "/proc/cpuinfo").flatMap { try? $0.readToEnd() } ?? Data()
    let model = name(in: String(decoding: data, as: UTF8.self)) ?? "of an unknown model"
    return "\(model), \(Figure.count(ProcessInfo.processInfo.activeProcessorCount, "processor"))"
  }

  /// The first model that the text of `/proc/cpuinfo` names: x86-64 has a name, AArch64 numbers of its maker and part
  /// (Arm, MIDR_EL1), RISC-V a microarchitecture.
  static func name(in text: String) -> String? {
    var fields: [String: String] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      if parts.count == 2 && fields[parts[0]] == nil { fields[parts[0]] = parts[1] }
    }
    if let name = fields["model name"] {
      return ["cpu family", "model"].reduce(name) { text, key in
        fields[key].map { "\(text), \(key.droppingPrefix("cpu ")) \($0)" } ?? text
      }
    }
    if let maker = fields["CPU implementer"], let part = fields["CPU part"] {
      return "AArch64, implementer \(maker), part \(part)"
    }
    return fields["uarch"]
  }
}
