/// The privileges of this process (capabilities(7)).
struct Capabilities {
  /// The privileges that matter to memory, by their bits.
  enum Privilege: Int {
    case ipcLock = 14
    case sysPtrace = 19
    case sysAdmin = 21
    case sysNice = 23
  }

  private let bits: UInt64

  init(_ files: MachineFiles) {
    bits = files.line("CapEff:", of: "/proc/self/status").flatMap { UInt64($0, radix: 16) } ?? 0
  }

  func has(_ privilege: Privilege) -> Bool { bits >> UInt64(privilege.rawValue) & 1 == 1 }
}
