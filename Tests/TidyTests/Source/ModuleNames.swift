/// The names by which a file can use a module.
struct ModuleNames {
  /// Names that can stand alone.
  private(set) var free: Set<String> = []
  /// Names that stand behind a dot, or alone where `self` is meant.
  private(set) var members: Set<String> = []
  /// Whether the module passes on what is declared outside the tree; no use of it can then be excluded.
  private(set) var isOpen = false
  private var includesErrno = false

  init(free: Set<String>, members: Set<String> = []) {
    self.free = free
    self.members = members
  }

  /// What Swift files show to a plain import of their module, or to one that is `@testable`.
  init(swift files: [SourceFile], isTestable: Bool) {
    for file in files {
      for declaration in file.declarations where declaration.isPublic || isTestable {
        if declaration.isMember { members.insert(declaration.name) } else { free.insert(declaration.name) }
      }
    }
  }

  /// What the headers of a shim show: whatever has the house's prefix, the fields of structs, and what the system
  /// headers bring that they include. Only the smallest of those are known here; any other makes the shim open.
  init(headers: [SourceFile]) {
    for header in headers {
      for word in header.words {
        let name = word.name.lowercased()
        if name.hasPrefix("lab_") || name.hasPrefix("heaplab") { free.insert(word.name) }
      }
      members.formUnion(CFields(header).names)
      for name in header.includedSystemHeaders {
        switch name {
        case "errno.h": includesErrno = true
        case "time.h": free.formUnion(["clock_gettime", "clockid_t", "nanosleep", "time", "time_t", "timespec"])
        case "stdbool.h", "stddef.h", "stdint.h": break
        default: isOpen = true
        }
      }
    }
  }

  /// Whether `name` alone can be of the module.
  func hasFree(_ name: String) -> Bool {
    free.contains(name) || (includesErrno && (name == "errno" || name.first == "E" && name == name.uppercased()))
  }
}

extension SourceFile {
  /// The headers of the system that a C text includes: `sys/mman.h` for `#include <sys/mman.h>`.
  fileprivate var includedSystemHeaders: [String] {
    words.compactMap { word in
      guard word.name == "include", let open = firstCode(at: word.range.upperBound), open.byte == ASCII.less,
        let close = code[open.offset...].firstIndex(of: ASCII.greater)
      else { return nil }
      return String(decoding: code[open.offset + 1..<close], as: UTF8.self)
    }
  }
}
