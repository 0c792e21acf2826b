import Addresses
import MemoryRegions
import Testing

@Suite struct MemoryRegionsExample {
  @Test func aReservationInParts() throws {
    // BEGIN
    let region = try MemoryRegion(reserving: 1 << 30)  // addresses; every access is refused
    let part = AddrRange(start: region.range.start, byteCount: 1 << 20)
    try region.commit(part)  // memory, zeros at first
    try region.prefault(part)  // no page fault later
    let resident = try region.residentByteCount()
    try region.decommit(part)  // the system has its memory back
    // END
    #expect(resident == 1 << 20)
    #expect(try region.residentByteCount() == 0)
  }
}
