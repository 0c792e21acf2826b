/// Why the heap of a process cannot be read.
public enum TelemetryError: Error, Hashable, Sendable {
  /// No process has the number.
  case noProcess(Int32)
  /// The process does not run on libheaplab.so.
  case noLibrary(Int32)
  /// This process may not read the other one's memory, and the other one keeps no page in /dev/shm.
  case notAllowed(Int32)
  /// The process has not allocated yet, or runs under a textbook policy, whose heap has no spans.
  case noGeneralHeap(Int32)
  /// The library's table is of a version that this reader does not know.
  case otherVersion(Int32, version: UInt32)
  /// The library's table lacks a word.
  case noWord(Int32, name: String)
  /// The library's table has a word that no heap has.
  case impossible(Int32)
  /// The process takes no samples.
  case notSampling(Int32)
  /// The process changed its heap too often during the reading, ended, or called exec.
  case changed(Int32)
}

extension TelemetryError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noProcess(let process): "process \(process) does not exist"
    case .noLibrary(let process):
      "process \(process) does not run on libheaplab.so, or on one without heaplab_telemetry_v1; start it with with-heaplab"
    case .notAllowed(let process):
      "process \(process) is not this user's to read; run as root, with CAP_SYS_PTRACE, or start it with "
        + "HEAPLAB_TELEMETRY=1"
    case .noGeneralHeap(let process):
      "process \(process) has no general heap: it has not allocated yet, or runs under HEAPLAB_POLICY=firstfit or buddy"
    case .otherVersion(let process, let version):
      "process \(process) has telemetry of version \(version), and this heapbench reads version 1; use the heapbench "
        + "of its heaplab"
    case .noWord(let process, let name):
      "process \(process) has telemetry without '\(name)'; use the heapbench of its heaplab"
    case .impossible(let process): "process \(process) shows a heap that cannot be: it overwrote libheaplab.so's memory"
    case .notSampling(let process):
      "process \(process) takes no samples; start it with HEAPLAB_SAMPLE=512K, or let it begin by "
        + "'heapbench profile \(process) --sample 512K'"
    case .changed(let process): "process \(process) changed while it was read; read it again"
    }
  }
}
