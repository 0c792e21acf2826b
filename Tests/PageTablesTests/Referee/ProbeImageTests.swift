import Foundation
import Testing

/// Writes the images that QEMU's processors judge under `scripts/test-paging-qemu`; runs only when
/// `HEAPLAB_PROBE_IMAGES` names their folder. `HEAPLAB_REFEREE_SEED` sets the first seed, `HEAPLAB_PROBE_IMAGE_COUNT`
/// the number of images of each kind.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["HEAPLAB_PROBE_IMAGES"] != nil))
struct ProbeImageTests {
  private func write<Machine: ProbedMachine>(_ machine: Machine.Type) throws {
    let environment = ProcessInfo.processInfo.environment
    let folder = URL(filePath: environment["HEAPLAB_PROBE_IMAGES"] ?? ".")
    let first = environment["HEAPLAB_REFEREE_SEED"].flatMap { UInt64($0) } ?? 1
    let count = environment["HEAPLAB_PROBE_IMAGE_COUNT"].flatMap { UInt64($0) } ?? 4
    for seed in first..<first + count {
      let own = folder.appending(path: "\(seed)")
      try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
      try ProbeImage<Machine>.write(seed: seed, addressCount: 160, to: own)
    }
  }

  @Test func fourLevels() throws { try write(FourLevelMachine.self) }
  @Test func fiveLevels() throws { try write(FiveLevelMachine.self) }
  @Test func sv39() throws { try write(Sv39Machine.self) }
  @Test func sv48() throws { try write(Sv48Machine.self) }
  @Test func sv57() throws { try write(Sv57Machine.self) }
  @Test func sv48MemoryTypes() throws { try write(Sv48MemoryTypesMachine.self) }
  @Test func sv57MemoryTypes() throws { try write(Sv57MemoryTypesMachine.self) }
  @Test func aarch64Lower16KiB() throws { try write(AArch64Lower16KiBMachine.self) }
  @Test func aarch64Upper16KiB() throws { try write(AArch64Upper16KiBMachine.self) }
  @Test func aarch64Lower64KiB() throws { try write(AArch64Lower64KiBMachine.self) }
  @Test func aarch64Upper64KiB() throws { try write(AArch64Upper64KiBMachine.self) }
  @Test func aarch64Lower() throws { try write(AArch64LowerMachine.self) }
  @Test func aarch64Upper() throws { try write(AArch64UpperMachine.self) }
}
