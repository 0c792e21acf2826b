import Addresses
import BuddyFrames
import Machine
import MemoryMaps
import MemoryProtocols
import PageTables
import VirtualAreas

// From the loader's map to everything that a kernel's memory management has, in the order in which each part needs the
// one before.

extension Memory {
  /// Takes over the machine's memory. Ends the machine where there is too little.
  init(takingOver loaderMap: consuming MemoryMap) {
    var map = loaderMap
    must("the map of memory is full") { () throws(MemoryMapError) in
      try map.add(imageFrames(image_start_address(), image_end_address()), .kernel)
    }
    let usable = map.byteCount(of: .usable)
    if usable < Plan.memoryMinimum {
      show("stopped: too little memory: ")
      show(byteCount: usable)
      show(" are usable, and the kernel needs ")
      show(byteCount: Plan.memoryMinimum)
      show("\n")
      machine_exit(Status.stopped)
    }
    takeEarlyMemory(&map)
    let boot = OffsetPhysMapper(AddrRange(start: .null, end: Plan.bootMapEnd), at: VirtAddr(Plan.directMap))
    let kinds: [3 of FrameZoneKind] = [
      FrameZoneKind("DMA", below: PhysAddr(16 << 20)), FrameZoneKind("DMA32", below: PhysAddr(4 << 30)),
      FrameZoneKind("Normal", below: nil),
    ]
    let zones = must("the map of memory is full") { () throws(MemoryMapError) in
      try FrameZones(
        takingOver: &map, kinds: kinds.span, tableWithin: AddrRange(start: .null, end: Plan.bootMapEnd), mapper: boot)
    }
    guard var frames = zones else { stop("no memory is left for the frame tables") }
    line("1 map of memory, with the frame tables taken out by the early allocator")
    show(map)
    line("2 frames: ", frames.reclaim(.bootloader, in: &map), " of the boot loader's reclaimed")
    frames.showZones()
    // Until the kernel's tables are loaded, the boot tables must reach all that is allocated.
    frames.homeZone = frames.highestZone(ofRank: 1)

    let heapFrames = Memory.takeHeapFrames(&frames)
    let table = must("the kernel must fit its page tables") { () throws(RangeError<MapError>) in
      try Memory.makeTable(map, &frames)
    }
    show("3 page tables: ")
    show(UInt64(table.tableCount))
    line(" tables, code read-execute, constants read-only, data no-execute")
    let areas = must("no frame is left for the list of virtual areas") { () throws(VirtualAreaError) in
      try VirtualAreas(
        managing: Plan.areas, mapper: table.mapper, guardByteCount: offence == .lostGuard ? 0 : 4096,
        lazyPageMaximum: 0,
        &frames)
    }
    self.heapFrames = heapFrames
    self.map = map
    self.frames = frames
    self.table = table
    self.areas = areas
  }

  /// One run of frames: at most 64 MiB, at least 2 MiB, and less than a quarter of what is free.
  private static func takeHeapFrames(_ frames: inout FrameZones) -> AddrRange<PhysAddr> {
    var order = FrameOrder(14)
    while order.rawValue > 9 && order.frameCount * 4 > frames.freeFrameCount {
      order = FrameOrder(order.rawValue - 1)
    }
    guard let start = frames.allocate(order, from: frames.homeZone) else { stop("no run of frames for the heap") }
    return AddrRange(start: start, byteCount: order.byteCount)
  }

  /// Maps all memory at the direct map, the image as its parts allow, and the devices.
  private static func makeTable(
    _ map: borrowing MemoryMap, _ frames: inout FrameZones
  ) throws(RangeError<MapError>) -> KernelTable {
    let end = max(map[map.count - 1].range.end, Plan.bootMapEnd)
    let mapper = OffsetPhysMapper(AddrRange(start: .null, end: end), at: VirtAddr(Plan.directMap))
    var table = must("no frame for the root") { () throws(MapError) in
      try KernelTable(mapper: mapper, largestPage: largestPage(), &frames)
    }
    map.forEachRange {
      $0.kind.isMemory
    } _: { range in
      must("memory must fit the direct map") { () throws(RangeError<MapError>) in
        try table.map(range.alignedInward(to: 4096), offset: Plan.directMap, .kernelData, &frames).ignore()
      }
    }
    let isWritable = offence == .writableCode
    let code = isWritable ? MemPerm.kernelCode | .write : .kernelCode
    let data = isWritable ? MemPerm.kernelData | .execute : .kernelData
    try mapImage(image_text_address(), image_constants_address(), code, &table, &frames)
    try mapImage(image_constants_address(), image_data_address(), .kernelReadOnly, &table, &frames)
    try mapImage(image_data_address(), image_end_address(), data, &table, &frames)
    // The direct map shows the code and the constants as well: read-only, or W^X would hold in one place alone.
    var tlb = NoTLB()
    let readOnly = imageFrames(image_text_address(), image_data_address())
    try table.protect(
      AddrRange(start: direct(readOnly.start), byteCount: UInt(readOnly.byteCount)), .kernelReadOnly, &frames, &tlb
    ).ignore()
    for index in Plan.devices.indices {
      let registers = AddrRange(start: Plan.devices[index], byteCount: 4096)
      try table.map(registers, offset: Plan.directMap, PageAttributes(.kernelData, .device), &frames).ignore()
    }
    // Last: what is mapped in the kernel half later is then seen by every process.
    must("no frames for the kernel half") { () throws(MapError) in try table.prepareKernelHalf(&frames) }
    return table
  }

  private static func mapImage(
    _ start: UInt64, _ end: UInt64, _ permissions: MemPerm, _ table: inout KernelTable, _ frames: inout FrameZones
  ) throws(RangeError<MapError>) {
    let range = AddrRange(start: VirtAddr(UInt(start)), end: VirtAddr(UInt(end)))
    try table.map(range, to: imageFrames(start, end).start, permissions, &frames).ignore()
  }
}

extension FrameZones {
  /// How many frames are free in all zones.
  var freeFrameCount: UInt64 {
    mutating get {
      var sum: UInt64 = 0
      for zone in 0..<count { sum += withZone(zone) { $0.frames.freeFrameCount } }
      return sum
    }
  }

  /// The last zone of a rank up to `rank`.
  mutating func highestZone(ofRank rank: Int) -> Int {
    var highest = 0
    for zone in 0..<count where withZone(zone, { $0.rank }) <= rank { highest = zone }
    return highest
  }

  /// Shows each zone with its free frames and watermarks.
  mutating func showZones() {
    for zone in 0..<count {
      withZone(zone) { zone in
        show("    ")
        show(zone.name)
        show(": free ")
        show(zone.frames.freeFrameCount)
        show(" of ")
        show(zone.frames.frameCount)
        show(", low watermark ")
        line("", zone.watermarks.low)
      }
    }
  }
}

func show(_ map: borrowing MemoryMap) {
  for index in 0..<map.count {
    show("    ")
    show(hex: map[index].range.start.raw)
    show(" ..< ")
    show(hex: map[index].range.end.raw)
    show("  ")
    line(map[index].kind.name)
  }
}

extension MemoryKind {
  var name: StaticString {
    switch self {
    case .usable: "usable"
    case .acpiReclaimable: "ACPI tables"
    case .bootloader: "boot loader"
    case .kernel: "kernel"
    case .acpiNVS: "ACPI NVS"
    case .reserved: "reserved"
    case .bad: "bad"
    }
  }
}
