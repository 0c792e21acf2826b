import AllocationTraces
import Foundation
import Synchronization

/// A clock that recorded processes share: a number in a file that grows each millisecond. A process reads the
/// processor's counter anew when the number has changed: see RawRecord.
final class RecordingBeat: Sendable {
  private let isStopped = Atomic<Bool>(false)

  /// Begins to beat in a new file of the folder. Without one, recorded times are less exact, and nothing else happens.
  init(folder: String) {
    let path = "\(folder)/\(RawFile.beatName)"
    // SAFETY: open reads a C string.
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let byteCount = MemoryLayout<Int>.size
    // The file gets its block now: a store to a mapping of a full disk would end this process.
    guard posix_fallocate(descriptor, 0, off_t(byteCount)) == 0 else { return }
    // SAFETY: a new mapping, which lives as long as the thread that beats.
    let start = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    guard unsafe start != MAP_FAILED, let address = unsafe start.map({ UInt(bitPattern: $0) }) else { return }
    let thread = Thread { [self] in
      // SAFETY: the mapping has a word, and zeros are an atomic zero.
      guard let beat = unsafe UnsafePointer<Atomic<Int>>(bitPattern: address) else { return }
      while !isStopped.load(ordering: .relaxed) {
        usleep(1000)
        unsafe beat.pointee.add(1, ordering: .relaxed)
      }
    }
    thread.start()
  }

  /// Ends the beat.
  func stop() { isStopped.store(true, ordering: .relaxed) }
}
