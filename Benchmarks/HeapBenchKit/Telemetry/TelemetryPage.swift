import CLabBench
import Foundation

/// The page in /dev/shm of a process with HEAPLAB_TELEMETRY=1 (`heaplab_telemetry_page` in heaplab_telemetry.h).
struct TelemetryPage {
  let reading: HeapReading

  private static let byteCount = 152
  private static let attemptMaximum = 8

  /// The page of a process; nil without one, or with one that another process or user left.
  init?(of host: HostProcess, folder: String = "/dev/shm") {
    for _ in 0..<Self.attemptMaximum {
      guard let image = Self.image("\(folder)/heaplab-\(host.process)", owner: Self.owner(of: host.process)) else {
        return nil
      }
      // The file is read as a whole, but not at one moment: an odd number, or one that changes, is a torn page.
      let sequence: UInt32 = image.load(12)
      guard sequence % 2 == 0,
        let again = Self.image("\(folder)/heaplab-\(host.process)", owner: Self.owner(of: host.process)),
        again.load(12, as: UInt32.self) == sequence
      else { continue }
      guard image.bytes.starts(with: Array("heaplab\0".utf8)), image.load(8, as: UInt32.self) == 1,
        image.load(16, as: UInt64.self) == UInt64(host.process),
        image.load(24, as: UInt64.self) >= host.startMilliseconds, sequence > 0,
        Self.words(image).enumerated().allSatisfy({ $1 < HeapReader.figureBound || $0 == Self.quotaIndex })
      else { return nil }
      reading = Self.reading(image, host.process)
      return
    }
    return nil
  }

  /// The figures: 64-bit words from an offset on. The quota may have any value.
  private static func words(_ image: MemoryImage) -> [UInt64] { (0..<14).map { image.load(40 + $0 * 8) } }
  private static let quotaIndex = 8

  private static func reading(_ image: MemoryImage, _ process: Int32) -> HeapReading {
    var reading = HeapReading(process: process)
    reading.source = .page
    let now = lab_clock_boot_milliseconds()
    reading.ageMilliseconds = now - min(now, image.load(32))
    let words = words(image)
    (reading.committedByteCount, reading.liveByteCount) = (words[0], words[1])
    (reading.mappedByteCount, reading.mappedCount) = (words[2], words[3])
    (reading.heapCount, reading.spanCount, reading.arenaByteCount) = (words[4], words[5], words[6])
    reading.activeByteCount = words[7]
    reading.quotaByteCount = words[quotaIndex] == .max ? nil : words[quotaIndex]
    (reading.slowPathCount, reading.commitCount, reading.purgedByteCount) = (words[9], words[10], words[11])
    (reading.regretCount, reading.refusedCount) = (words[12], words[13])
    return reading
  }

  /// The bytes of a file that the user owns.
  private static func image(_ path: String, owner: UInt32?) -> MemoryImage? {
    // SAFETY: open reads a C string.
    let descriptor = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    var bytes = [UInt8](repeating: 0, count: byteCount)
    // SAFETY: the out-parameters are this function's own; the buffer has so many bytes.
    guard unsafe fstat(descriptor, &status) == 0, status.st_uid == owner,
      unsafe pread(descriptor, &bytes, byteCount, 0) == byteCount
    else { return nil }
    return MemoryImage(bytes: bytes)
  }

  /// The user of a process, as the files of /proc/PID have it.
  private static func owner(of process: Int32) -> UInt32? {
    var status = stat()
    // SAFETY: stat reads a C string and writes the struct.
    return unsafe stat("/proc/\(process)", &status) == 0 ? status.st_uid : nil
  }
}
