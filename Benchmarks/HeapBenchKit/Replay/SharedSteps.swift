import CLabBench
import Glibc

/// Steps in a memory file. Measuring processes map the file, and hold none of the steps in a heap.
///
/// A measuring process opens the file through this process's `/proc` folder. The file disappears with its last user.
@safe final class SharedSteps: @unchecked Sendable {
  /// The number of steps.
  let count: Int

  private let descriptor: Int32
  private let base: UnsafeMutableRawPointer

  /// Room for `count` steps, all zero.
  init(count: Int) throws(MeasurementFailure) {
    self.count = count
    var descriptor: Int32 = -1
    // SAFETY: a literal is a C string, and the out-parameter is this function's own.
    let code = unsafe lab_memory_file_create("heapbench-steps", &descriptor)
    guard code == 0 else { throw .system("cannot hold the steps in memory", code) }
    guard ftruncate(descriptor, Self.byteCount(of: count)) == 0 else {
      throw .system("cannot hold \(count) steps in memory", errno)
    }
    self.descriptor = descriptor
    // SAFETY: the mapping is this object's own until `deinit`.
    unsafe base = try Self.map(descriptor, count: count, protection: PROT_READ | PROT_WRITE)
  }

  /// The steps that another process shares at `path`. All of them are resident.
  init(mapping path: String, count: Int) throws(MeasurementFailure) {
    self.count = count
    // SAFETY: open reads a C string.
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("cannot open the steps at \(path)", errno) }
    unsafe base = try Self.map(descriptor, count: count, protection: PROT_READ)
  }

  deinit {
    // SAFETY: the mapping is this object's own, of this length.
    unsafe munmap(base, Int(Self.byteCount(of: count)))
    close(descriptor)
  }

  /// The path at which a child of this process finds the steps.
  var path: String { "/proc/\(getpid())/fd/\(descriptor)" }

  /// The steps in global order, valid as long as this object lives.
  var buffer: UnsafeBufferPointer<ReplayStep> {
    // SAFETY: the mapping holds `count` steps; zero bytes are a valid step, and only `subscript` writes.
    unsafe UnsafeBufferPointer(start: base.assumingMemoryBound(to: ReplayStep.self), count: count)
  }

  subscript(position: Int) -> ReplayStep {
    get { unsafe buffer[position] }
    set {
      precondition(position >= 0 && position < count, "a step's position must be below the count")
      // SAFETY: the position is inside the mapping.
      unsafe base.assumingMemoryBound(to: ReplayStep.self)[position] = newValue
    }
  }

  private static func byteCount(of count: Int) -> Int {
    max(1, count) * MemoryLayout<ReplayStep>.stride
  }

  private static func map(_ descriptor: Int32, count: Int, protection: Int32) throws(MeasurementFailure)
    -> UnsafeMutableRawPointer
  {
    // SAFETY: a new mapping of a file of that length.
    let address = unsafe mmap(nil, byteCount(of: count), protection, MAP_SHARED | MAP_POPULATE, descriptor, 0)
    guard let address = unsafe address, unsafe address != MAP_FAILED else {
      throw .system("cannot map \(count) steps", errno)
    }
    return unsafe address
  }
}
