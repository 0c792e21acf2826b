import Foundation

extension ComparedAllocator {
  /// The allocators of a comparison: glibc, libheaplab, the installed peers, and those that the user named. A named
  /// allocator replaces an installed one of the same name.
  ///
  /// - Parameters:
  ///   - library: The path of libheaplab.so; nil for the one beside this executable.
  ///   - additions: Arguments `NAME=PATH.so`.
  /// - Returns: The allocators, and a line for each peer that is not installed.
  /// - Throws: ``ComparisonError``.
  public static func choose(
    library: String?, additions: [String], search: AllocatorSearch = AllocatorSearch()
  ) throws(ComparisonError) -> (allocators: [ComparedAllocator], missing: [String]) {
    let named = try additions.map { text throws(ComparisonError) in try ComparedAllocator(argument: text) }
    for (index, allocator) in named.enumerated() {
      let isReserved = [glibc.name, heaplabName].contains(allocator.name)
      if isReserved || named[..<index].contains(where: { $0.name == allocator.name }) {
        throw .repeatedName(allocator.name)
      }
    }
    let own = absolute(library ?? "\(DriverProcess.folder)/libheaplab.so")
    guard FileManager.default.isReadableFile(atPath: own) else {
      throw library == nil ? .noHeaplab(path: own) : .noLibrary(name: heaplabName, path: own)
    }
    let (found, missing) = search.findPeers()
    let names = Set(named.map(\.name))
    return (
      [glibc, ComparedAllocator(name: heaplabName, library: own)] + found.filter { !names.contains($0.name) } + named,
      missing.filter { line in !names.contains { line.hasPrefix("\($0) ") } }
    )
  }

  /// The allocator of an argument `NAME=PATH.so`.
  init(argument: String) throws(ComparisonError) {
    let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { throw .malformedAllocator(argument) }
    let path = Self.absolute(parts[1])
    guard FileManager.default.isReadableFile(atPath: path) else { throw .noLibrary(name: parts[0], path: path) }
    self.init(name: parts[0], library: path)
  }

  /// The absolute path: the compared programs run in other folders.
  private static func absolute(_ path: String) -> String { URL(filePath: path).standardizedFileURL.path }
}
