/// An allocator under which programs can run.
public struct ComparedAllocator: Codable, Hashable, Sendable {
  /// Its name in tables.
  public let name: String

  /// The library that is preloaded; nil for the C library's own allocator.
  public let library: String?

  /// An allocator of this name in this library.
  public init(name: String, library: String?) {
    self.name = name
    self.library = library
  }

  /// The C library's own allocator, the base of every ratio.
  public static let glibc = ComparedAllocator(name: "glibc", library: nil)

  /// The name of this package's allocator.
  public static let heaplabName = "heaplab"
}

/// Why a comparison cannot start. The description is for the user.
public enum ComparisonError: Error, Hashable, Sendable, CustomStringConvertible {
  /// There is no driver beside heapbench.
  case noDriver(path: String)
  /// There is no libheaplab.so beside heapbench.
  case noHeaplab(path: String)
  /// A named library cannot be read.
  case noLibrary(name: String, path: String)
  /// An argument of `--allocator` is not NAME=PATH.
  case malformedAllocator(String)
  /// Two allocators have the same name.
  case repeatedName(String)
  /// No workload has the name.
  case unknownWorkload(String, suggestion: String)

  public var description: String {
    switch self {
    case .noDriver(let path):
      "no driver at '\(path)'; build it with 'swift build -c release --product heapbench-driver'"
    case .noHeaplab(let path):
      "no libheaplab.so at '\(path)'; build it with 'swift build -c release --product heaplab', or name it with --library"
    case .noLibrary(let name, let path):
      "allocator '\(name)': no library at '\(path)'"
    case .malformedAllocator(let text):
      "--allocator takes NAME=PATH.so, found '\(text)'"
    case .repeatedName(let name):
      "two allocators are called '\(name)'; name one of them otherwise with --allocator NAME=PATH.so"
    case .unknownWorkload(let name, let suggestion):
      "no workload is called '\(name)'\(suggestion.isEmpty ? "; 'heapbench compare --list' shows them" : suggestion)"
    }
  }
}
