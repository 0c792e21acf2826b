/// The files that a process has mapped as code.
final class ProcessModules {
  private struct Mapping {
    let start, end, offset: UInt64
    let path: String
  }

  private let process: Int32
  private let mappings: [Mapping]
  private var images: [String: ModuleImage?] = [:]
  /// The text of /proc/PID/maps.
  let text: String

  init(of process: Int32) throws(TelemetryError) {
    guard let text = ProcFile.text("/proc/\(process)/maps") else { throw .notAllowed(process) }
    (self.process, self.text) = (process, text)
    mappings = text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
      guard fields.count == 6, fields[1].contains("x") else { return nil }
      let range = fields[0].split(separator: "-")
      guard range.count == 2, let start = UInt64(range[0], radix: 16), let end = UInt64(range[1], radix: 16),
        let offset = UInt64(fields[2], radix: 16)
      else { return nil }
      var path = String(fields[5].drop { $0 == " " })
      if path.hasSuffix(" (deleted)") { path.removeLast(10) }
      return Mapping(start: start, end: end, offset: offset, path: path)
    }
  }

  /// Where in which file an address of code lies: the path, and the virtual address in the file.
  func place(of address: UInt64) -> (path: String, address: UInt64, image: ModuleImage?)? {
    guard let mapping = mappings.first(where: { address >= $0.start && address < $0.end }) else { return nil }
    let offset = address - mapping.start + mapping.offset
    guard mapping.path.hasPrefix("/") else { return (mapping.path, address, nil) }
    let image = image(mapping.path)
    return (mapping.path, image?.virtualAddress(ofFileOffset: offset) ?? offset, image)
  }

  private func image(_ path: String) -> ModuleImage? {
    if let image = images[path] { return image }
    // In a container the path means another file.
    let image = ModuleImage(path: "/proc/\(process)/root\(path)") ?? ModuleImage(path: path)
    images[path] = .some(image)
    return image
  }
}
