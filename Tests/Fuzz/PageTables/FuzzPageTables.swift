import PageTables

// A libFuzzer target. Its input is a sequence of operations on page tables, checked against the tests' dictionary
// model. scripts/fuzz-paging builds and runs it.

/// Runs one input. A disagreement between tables and dictionary ends the process, which libFuzzer reports.
@c(LLVMFuzzerTestOneInput)
public func fuzzPageTables(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  // SAFETY: libFuzzer passes `count` bytes that stay valid during the call.
  let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
  guard let first = input.first else { return 0 }
  // Most inputs go to formats whose tables are small and therefore fast.
  switch first {
  case 0xF8...: run(AArch64Lower64KiB.self, input.dropFirst())
  case 0xF0...: run(AArch64Upper16KiB.self, input.dropFirst())
  case 0xE8...: run(Sv57MemoryTypes.self, input.dropFirst())
  case 0xE0...: run(X86Encrypted.self, input.dropFirst())
  case 0xD8...: run(X86Trusted.self, input.dropFirst())
  default:
    switch first % 4 {
    case 0: run(X86FiveLevel.self, input.dropFirst())
    case 1: run(AArch64Lower.self, input.dropFirst())
    case 2: run(Sv39.self, input.dropFirst())
    default: run(X86FourLevel.self, input.dropFirst())
    }
  }
  return 0
}

func run<Format: PageTableFormat>(_ format: Format.Type, _ input: ArraySlice<UInt8>) {
  do {
    var model = try PageTableModel<Format>()
    #if SEEDED_BUG
      model.seedsBug = true
    #endif
    var bytes = OperationBytes(bytes: input)
    var stepCount = 0
    while !bytes.isEmpty, stepCount < 64 {
      try model.step(&bytes)
      stepCount += 1
    }
    try model.finish()
  } catch {
    fatalError("\(Format.self): \(error)")
  }
}
