import Addresses
import CLabKVM

/// The memory access of an instruction.
enum ProbeAccess: UInt8, CaseIterable {
  case read, write, fetch
}

/// The mode of the access.
enum ProbeMode: UInt8, CaseIterable {
  case kernel, user
}

/// One access of eight bytes to one address.
struct Probe: Hashable {
  var address: UInt64
  var access: ProbeAccess
  var mode: ProbeMode
  /// The word that a write stores; see ``ProbeWord``.
  var word: UInt64 = 0
}

/// The outcome of an access.
enum Verdict: Hashable {
  /// It succeeded: the word read, the tag fetched, or 0 for a write.
  case done(UInt64)
  /// #PF with its error code and CR2.
  case pageFault(PageFaultCode, address: UInt64)
  /// #GP: the address is not canonical.
  case generalProtection
  /// Any other exception, which no probe should raise.
  case other(vector: UInt8)
}

/// The error code of a page fault (Intel SDM volume 3A, 4.7, figure 4-12).
struct PageFaultCode: OptionSet, Hashable {
  let rawValue: UInt32

  /// P: an entry was present and forbade the access; without it, an entry was missing.
  static let protection = PageFaultCode(rawValue: 1 << 0)
  /// W/R: the access was a write.
  static let write = PageFaultCode(rawValue: 1 << 1)
  /// U/S: the access came from user mode.
  static let user = PageFaultCode(rawValue: 1 << 2)
  /// RSVD: an entry had a reserved bit set.
  static let reserved = PageFaultCode(rawValue: 1 << 3)
  /// I/D: the access was an instruction fetch.
  static let fetch = PageFaultCode(rawValue: 1 << 4)

  /// The bits that the access itself contributes to the code of any fault, with EFER.NXE set.
  init(of probe: Probe) {
    self = []
    if probe.access == .write { insert(.write) }
    if probe.access == .fetch { insert(.fetch) }
    if probe.mode == .user { insert(.user) }
  }

  init(rawValue: UInt32) {
    self.rawValue = rawValue
  }
}

/// The words that probes read, write and execute. As instructions they load their tag into EAX and return: a fetch thus
/// reports which word it met.
enum ProbeWord {
  /// The word with a tag.
  static func encode(_ tag: UInt32) -> UInt64 { lab_kvm_word_encode(tag) }

  /// The tag of a word, nil for a word of another form.
  static func tag(of word: UInt64) -> UInt32? {
    let tag = UInt32(truncatingIfNeeded: word >> 8)
    return encode(tag) == word ? tag : nil
  }
}

/// The tables under which probes are made.
struct ProbedRoot {
  /// The physical address of the root table.
  var address: UInt64
  /// How many tables a walk to a 4 KiB page reads: 4 or 5.
  var levelCount = 4
  /// The largest page that the tables may hold.
  var largestPage = PageSize.size2MiB
  /// Whether kernel mode cannot fetch from user pages (CR4.SMEP).
  var hasSMEP = false
  /// Whether kernel mode cannot read or write user pages (CR4.SMAP, with RFLAGS.AC clear).
  var hasSMAP = false
}

extension Probe: CustomStringConvertible {
  var description: String { "\(mode) \(access) of 0x\(String(address, radix: 16))" }
}

extension Verdict: CustomStringConvertible {
  var description: String {
    switch self {
    case .done(let word): "done with 0x\(String(word, radix: 16))"
    case .pageFault(let code, let address):
      "#PF with code 0x\(String(code.rawValue, radix: 16)) and CR2 0x\(String(address, radix: 16))"
    case .generalProtection: "#GP"
    case .other(let vector): "exception \(vector)"
    }
  }
}
