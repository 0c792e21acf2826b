/// The call stacks of a recording: hashes become numbers, and return addresses become places in files.
struct RecordedStackTable {
  private let maps: [ProcessMaps]
  private var numbers: [UInt64: UInt64] = [:]
  private var frameNumbers: [CallStackTable.Frame: Int] = [:]
  private var modules: [String: ModuleSegments] = [:]

  /// The stacks so far.
  private(set) var table = CallStackTable()

  /// An empty table of a process with these maps, which ascend by their ticks.
  init(_ maps: [ProcessMaps]) { self.maps = maps }

  /// The number of a stack by its hash; 0 for a hash whose frames were lost, or none.
  func number(of hash: UInt64) -> UInt64 { hash == 0 ? 0 : numbers[hash] ?? 0 }

  /// Adds a stack, if its hash is new.
  mutating func add(_ stack: RawStack) {
    guard numbers[stack.hash] == nil else { return }
    let present = max(0, (maps.firstIndex { $0.ticks > stack.ticks } ?? maps.count) - 1)
    var frames: [Int] = []
    for address in stack.frames {
      let frame = frame(at: address, present)
      let number = frameNumbers[frame] ?? table.frames.count
      if number == table.frames.count {
        frameNumbers[frame] = number
        table.frames.append(frame)
      }
      frames.append(number)
    }
    numbers[stack.hash] = table.append(frames)
  }

  private mutating func frame(at address: UInt64, _ present: Int) -> CallStackTable.Frame {
    // The call may be the last instruction of its range. Another thread may still have been at the copy that has it.
    guard let range = maps.dropFirst(present).lazy.compactMap({ $0.range(of: address - 1) }).first else {
      return CallStackTable.Frame(module: nil, offset: address)
    }
    let segments = modules[range.path] ?? ModuleSegments(path: range.path)
    modules[range.path] = segments
    let fileOffset = address - range.addresses.lowerBound + range.fileOffset
    return CallStackTable.Frame(module: range.path, offset: segments.virtualAddress(ofFileOffset: fileOffset))
  }

  /// The table with names, where a symbolizer is installed.
  func symbolized() -> CallStackTable {
    var table = table
    Symbolizer()?.name(&table.frames)
    return table
  }
}

/// The segments of an ELF file: where its bytes are in its virtual addresses.
struct ModuleSegments {
  private var segments: [(offset: UInt64, byteCount: UInt64, address: UInt64)] = []

  /// The segments of the file at `path`; none if it is no ELF file of 64 bits.
  init(path: String) {
    guard let file = try? MappedFile(path), file.word(at: 0) & 0xFF_FFFF_FFFF == 0x02_464C_457F else { return }
    let start = Int(truncatingIfNeeded: file.word(at: 32))
    let (size, count) = (Int(file.word(at: 54) & 0xFFFF), Int(file.word(at: 56) & 0xFFFF))
    guard start >= 0, start < file.count else { return }
    for header in (0..<count).map({ start + $0 * size }) where file.word(at: header) & 0xFFFF_FFFF == 1 {
      segments.append((file.word(at: header + 8), file.word(at: header + 32), file.word(at: header + 16)))
    }
  }

  /// The virtual address of a byte of the file; the offset itself where no segment has it.
  func virtualAddress(ofFileOffset offset: UInt64) -> UInt64 {
    guard let segment = segments.first(where: { offset >= $0.offset && offset - $0.offset < $0.byteCount }) else {
      return offset
    }
    return segment.address &+ (offset - segment.offset)
  }
}
