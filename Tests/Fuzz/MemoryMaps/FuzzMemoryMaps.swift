import Addresses
import MemoryMaps

// A libFuzzer target. Its input is a table of one of the formats; the first byte says which. Whatever the bytes, the
// decoder must end without a trap, read nothing outside them (AddressSanitizer watches), and leave a map in normal form;
// a table that is refused adds nothing. scripts/fuzz-memory-maps builds and runs it.

/// Runs one input. A violation ends the process, which libFuzzer reports.
@c(LLVMFuzzerTestOneInput)
public func fuzzMemoryMaps(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard count > 0, let bytes = unsafe bytes else { return 0 }
  // SAFETY: libFuzzer passes `count` bytes that stay valid during the call.
  let table = unsafe UnsafeRawBufferPointer(start: bytes + 1, count: count - 1)
  let storage = UnsafeMutableRawPointer.allocate(byteCount: 1 << 14, alignment: 64)
  defer { unsafe storage.deallocate() }
  var map = MemoryMap(in: AddrRange(start: VirtAddr(storage), byteCount: 1 << 14))
  do throws(MemoryMapError) {
    try unsafe decode(table, format: bytes.pointee % 9, into: &map)
  } catch {
    #if SEEDED_BUG
      if case .malformed = error { fatalError("the planted bug: a device tree is never malformed") }
    #endif
    switch error {
    // These formats consist of parts that are read one by one.
    case .full, .unreadable, .noMemoryMap, .entrySize, .truncated, .tagSize, .magic: break
    default: precondition(map.count == 0, "a table that was refused must add nothing")
    }
  }
  check(map)
  return 0
}

private func decode(
  _ table: UnsafeRawBufferPointer, format: UInt8, into map: inout MemoryMap
) throws(MemoryMapError) {
  let bytes = unsafe table.bytes
  // Addresses in the structures are offsets in the table.
  let reader = { (address: UInt64, byteCount: Int) -> VirtAddr? in
    guard byteCount >= 0, byteCount <= table.count, address <= UInt64(table.count - byteCount) else { return nil }
    return unsafe VirtAddr(table.baseAddress) + UInt(address)
  }
  switch format {
  case 0: try map.add(e820: bytes)
  case 1: try map.add(e820: bytes, entryByteCount: 24)
  case 2: try map.add(uefi: bytes, descriptorByteCount: 48)
  case 3: try map.add(multiboot1: .null, reader: reader)
  case 4: try map.add(multiboot2: bytes)
  case 5: try map.add(pvh: .null, reader: reader)
  case 6: try map.add(limine: VirtAddr(0), reader: reader)
  case 7: try map.add(deviceTree: bytes)
  default: try setNodes(bytes, of: &map)
  }
}

/// Sets nodes from a table whose checksum is made right first: no fuzzer guesses it.
private func setNodes(_ bytes: RawSpan, of map: inout MemoryMap) throws(MemoryMapError) {
  try map.add(AddrRange(start: .null, end: PhysAddr(1 << 40)), .usable)
  var table = (0..<bytes.byteCount).map { unsafe bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
  if table.count > 9 { table[9] &-= table.reduce(0, &+) }
  let before = map.count
  do throws(MemoryMapError) {
    try map.setNodes(srat: table.span.bytes)
  } catch {
    if case .full = error { return }
    precondition(map.count == before, "a table that was refused must change nothing")
  }
}

/// Ends the process unless the map is in normal form.
private func check(_ map: borrowing MemoryMap) {
  for index in 0..<map.count {
    let entry = map[index]
    precondition(!entry.range.isEmpty && entry.range.end <= map.addressLimit, "an entry is empty or too high")
    if index == 0 { continue }
    let last = map[index - 1]
    precondition(last.range.end <= entry.range.start, "two entries overlap or are out of order")
    precondition(
      last.range.end < entry.range.start || last.kind != entry.kind || last.node != entry.node,
      "two adjacent entries are alike")
  }
}
