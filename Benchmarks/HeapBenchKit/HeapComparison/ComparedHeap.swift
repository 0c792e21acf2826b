import Addresses
public import FirstFitHeap
import Glibc

/// A heap that ``HeapComparison`` measures.
public enum ComparedHeap: Sendable {
  /// A first-fit heap of this project.
  case firstFit(name: String, FirstFitSearch)
  /// A heap in a shared library.
  case library(name: String, path: String)

  /// The heaps of this project.
  public static let own: [ComparedHeap] = [.firstFit(name: "table", .table), .firstFit(name: "tree", .tree)]

  /// The name in reports.
  public var name: String {
    switch self {
    case .firstFit(let name, _), .library(let name, _): name
    }
  }

  /// The heap that `text` names: one of ``own``, or a library as NAME=PATH. Nil when it is neither.
  public init?(_ text: String) {
    if let own = Self.own.first(where: { $0.name == text }) {
      self = own
    } else if let equals = text.firstIndex(of: "="), equals != text.startIndex, text.last != "=" {
      self = .library(name: String(text[..<equals]), path: String(text[text.index(after: equals)...]))
    } else {
      return nil
    }
  }

  /// The text that names the heap.
  var text: String {
    switch self {
    case .firstFit(let name, _): name
    case .library(let name, let path): "\(name)=\(path)"
    }
  }
}

/// The functions of a heap in a shared library. docs/first-fit.md has their C declarations.
@safe struct HeapLibrary {
  typealias Create = @convention(c) (UnsafeMutableRawPointer, Int) -> CInt
  typealias Allocate = @convention(c) (Int) -> UnsafeMutableRawPointer?
  typealias Deallocate = @convention(c) (UnsafeMutableRawPointer?, Int) -> Void

  let allocate: Allocate
  let deallocate: Deallocate

  /// Loads the library at `path`, which stays loaded, and makes its heap over `memory`.
  ///
  /// - Throws: ``MeasurementFailure`` when it cannot be loaded, lacks a function, or refuses the memory.
  init(path: String, memory: AddrRange<VirtAddr>) throws(MeasurementFailure) {
    // SAFETY: dlopen reads a C string, and dlerror returns one after it failed.
    guard let handle = unsafe dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
      throw MeasurementFailure("the heap '\(path)' cannot be loaded: \(unsafe String(cString: dlerror()))")
    }
    func symbol(_ name: String) throws(MeasurementFailure) -> UnsafeMutableRawPointer {
      guard let symbol = unsafe dlsym(handle, name) else {
        throw MeasurementFailure("the heap '\(path)' has no function \(name); docs/first-fit.md lists all three")
      }
      // SAFETY: an address that is only cast below.
      return unsafe symbol
    }
    // SAFETY: by contract, the functions have these types.
    let create = try unsafe unsafeBitCast(symbol("lab_heap_create"), to: Create.self)
    unsafe allocate = try unsafeBitCast(symbol("lab_heap_allocate"), to: Allocate.self)
    unsafe deallocate = try unsafeBitCast(symbol("lab_heap_deallocate"), to: Deallocate.self)
    // SAFETY: nobody else uses the memory.
    let status = unsafe create(memory.start.unsafePointer, Int(memory.byteCount))
    guard status == 0 else { throw MeasurementFailure("the heap '\(path)' refused its memory: error \(status)") }
  }
}
