internal import Assertions
internal import CLabMalloc

// The names of the environment's variables. A name that nobody reads is most often a misspelt one, and what it was to
// set is silently not set: HEAPLAB_LIMT=5M is no quota. So each variable with the project's prefix and an unknown name
// gives a line with the nearest known name, by the edit distance (Levenshtein 1966).

/// The name of one variable, without the prefix, in the environment's own memory.
struct SettingName {
  private let address: UInt
  private let byteCount: Int

  /// What all names begin with.
  private static var prefix: StaticString { "HEAPLAB_" }

  /// The names without the prefix: of this library's settings, of the recorder's, and of the project's tests.
  static var known: InlineArray<21, StaticString> {
    [
      "POLICY", "LIMIT", "PURGE_DELAY", "BACKGROUND", "RESERVE", "TELEMETRY", "STATS", "PIN", "PIN_OVERFLOW", "HUGE",
      "NODE", "SAMPLE",
      "RECORD", "RECORD_STACKS", "RECORD_SAMPLE",
      "SOAK_OPERATIONS", "SOAK_SEED", "REFEREE_SEED", "REFEREE_SPACES", "PROBE_IMAGES", "PROBE_IMAGE_COUNT",
    ]
  }

  /// How many bytes of a name are compared and shown; the longest known one has fewer.
  static var byteMaximum: Int { 40 }
  /// How many unknown names get a line.
  static var warningMaximum: Int { 8 }

  /// The name in the environment's entry at `entry`, which begins with the prefix.
  private init(entry: UInt) {
    address = entry + UInt(SettingName.prefix.utf8CodeUnitCount)
    var count = 0
    while count < SettingName.byteMaximum, !SettingName.ends(address, count) { count += 1 }
    byteCount = count
  }

  /// Whether a name ends before the byte with an index.
  private static func ends(_ address: UInt, _ index: Int) -> Bool {
    // SAFETY: the entry ends with a zero, and callers stop at its first end.
    let byte = unsafe UnsafePointer<UInt8>(bitPattern: address + UInt(index)).unsafelyUnwrapped.pointee
    return byte == 0 || byte == 0x3D
  }

  private func byte(_ index: Int) -> UInt8 {
    // SAFETY: the index is below the name's length.
    unsafe UnsafePointer<UInt8>(bitPattern: address + UInt(index)).unsafelyUnwrapped.pointee
  }

  /// Warns of variables whose names nobody knows. Returns whether there is any variable with the prefix.
  /// - Complexity: O(n) in the environment's entries; each unknown name costs at most `byteMaximum` squared steps for
  ///   each known one.
  static func check() -> Bool {
    var position: UInt = 0
    var warningCount = 0
    var hasAny = false
    // SAFETY: C writes the position to a local; the entry stays where the environment has it.
    while let entry = unsafe lab_malloc_environment_next(&position) {
      hasAny = true
      let name = SettingName(entry: UInt(bitPattern: entry))
      let (nearest, distance) = name.nearest
      guard distance != 0 else { continue }
      guard warningCount < warningMaximum else { break }
      warningCount += 1
      name.warn(nearest)
    }
    return hasAny
  }

  /// The known name with the least edit distance, and that distance.
  private var nearest: (name: StaticString, distance: Int) {
    let known = SettingName.known
    var best = known[0]
    var least = Int.max
    for index in known.indices {
      let distance = distance(to: known[index])
      if distance < least { (best, least) = (known[index], distance) }
    }
    return (best, least)
  }

  /// How many bytes must be inserted, removed or replaced to make the name the known one.
  private func distance(to known: StaticString) -> Int {
    // A row of the table of Wagner and Fischer (1974): the distances of the name's beginnings to the known one's.
    var row = InlineArray<41, Int>(repeating: 0)
    for index in 0...byteCount { row[index] = index }
    for knownIndex in 0..<known.utf8CodeUnitCount {
      // SAFETY: the index is inside the literal.
      let wanted = unsafe known.utf8Start[knownIndex]
      var diagonal = row[0]
      row[0] = knownIndex + 1
      for index in 0..<byteCount {
        let replaced = diagonal + (byte(index) == wanted ? 0 : 1)
        diagonal = row[index + 1]
        row[index + 1] = min(replaced, min(diagonal, row[index]) + 1)
      }
    }
    return row[byteCount]
  }

  /// Writes the line. What no terminal prints is shown as a question mark.
  private func warn(_ nearest: StaticString) {
    var line = TextLine()
    line.append("heaplab: ")
    line.append(SettingName.prefix)
    for index in 0..<byteCount {
      let byte = byte(index)
      line.append(byte: byte > 0x20 && byte < 0x7F ? byte : 0x3F)
    }
    line.append(" is no variable of heaplab; the nearest is ")
    line.append(SettingName.prefix)
    line.append(nearest)
    SettingText.write(line)
  }
}
