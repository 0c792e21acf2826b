import Addresses
import LabTestSupport
import PageTables
import Testing

/// A page of the model: what its region says of it, and the word at its start.
struct ModelPage: Equatable {
  var permissions: MemPerm
  var purpose: VirtualRegion.Purpose
  var object = MemoryObject.none
  /// The byte of the object at the page; without an object 0.
  var offset: UInt64 = 0
  var isShared = false
  /// The word that a private page holds; nil until it is written.
  var word: UInt64?

  /// Whether the next page belongs to the same region.
  func continues(as next: ModelPage) -> Bool {
    permissions == next.permissions && purpose == next.purpose && object == next.object && isShared == next.isShared
      && (object == .none || next.offset == offset + 4096)
  }
}

enum SpaceModel {
  static let pageCount: UInt = 1024
  static let objectPageCount: UInt64 = 64
}

/// An address space, its model and the source of its objects.
struct SpaceTrial<Format: PageTableFormat>: ~Copyable {
  var process: TestProcess<Format>
  var source: TestObjects
  let start: VirtAddr
  var pages = [ModelPage?](repeating: nil, count: Int(SpaceModel.pageCount))
  /// What each page of the shared object holds.
  var sharedWords = [UInt64](repeating: 0, count: Int(SpaceModel.objectPageCount))
  var finding: String?

  init(_ space: consuming AddressSpace<Format, OffsetPhysMapper>, _ start: VirtAddr, _ frames: inout TestFrames) {
    process = TestProcess(space)
    self.start = start
    source = TestObjects(frames.mapper, pageCount: SpaceModel.objectPageCount)
  }

  func address(_ page: Int) -> VirtAddr { start + UInt(page) * 4096 }

  func range(_ pages: Range<Int>) -> AddrRange<VirtAddr> {
    AddrRange(start: address(pages.lowerBound), through: address(pages.upperBound - 1) + 4095)
  }

  mutating func step(_ generator: inout SeededGenerator, _ frames: inout TestFrames) {
    let first = Int.random(in: 0..<pages.count, using: &generator)
    let some = first..<min(pages.count, first + Int.random(in: 1...12, using: &generator))
    let permissions = [MemPerm.userData, .userData, .userReadOnly].randomElement(using: &generator) ?? .userData
    let before = frames.usedCount
    let regions = process.space.allRegions
    let usesObject = Bool.random(using: &generator)
    do throws(AddressSpaceError) {
      switch Int.random(in: 0..<100, using: &generator) {
      case 0..<25: try add(some, permissions, usesObject ? UInt64.random(in: 0..<50, using: &generator) : nil, &frames)
      case 25..<35: try place(some.count, permissions, &frames)
      case 35..<50: try unmap(some, &frames)
      case 50..<65: try protect(some, permissions, &frames)
      case 65..<70: try discard(some, &frames)
      default: access(some, generator.next(), &frames)
      }
    } catch {
      if error == .outOfFrames, frames.allocationsLeft == nil { finding = "\(error), but there were frames" }
      if frames.usedCount != before { finding = "\(error), and \(frames.usedCount - before) more frames are in use" }
      if process.space.allRegions != regions { finding = "\(error), and the regions have changed" }
    }
  }

  private mutating func add(
    _ some: Range<Int>, _ permissions: MemPerm, _ objectPage: UInt64?, _ frames: inout TestFrames
  ) throws(AddressSpaceError) {
    let isFree = pages[some].allSatisfy { $0 == nil }
    do throws(AddressSpaceError) {
      if let objectPage {
        let isShared = objectPage % 2 == 0
        let object = isShared ? TestObjects.shared : TestObjects.file
        let offset = objectPage * 4096
        try process.space.addRegion(
          showing: ObjectRange(object, offset: offset, byteCount: UInt64(some.count) * 4096), permissions,
          at: address(some.lowerBound), isShared: isShared, &frames, &source)
        for page in some {
          pages[page] = ModelPage(
            permissions: permissions, purpose: .data, object: object,
            offset: offset + UInt64(page - some.lowerBound) * 4096, isShared: isShared)
        }
      } else {
        try process.space.addRegion(range(some), permissions, &frames)
        for page in some { pages[page] = ModelPage(permissions: permissions, purpose: .heap) }
      }
      if !isFree { finding = "a region was added over another" }
    } catch {
      if isFree != (error == .outOfFrames) { finding = "\(some) is \(isFree ? "" : "not ")free: \(error)" }
      throw error
    }
  }

  private mutating func place(
    _ count: Int, _ permissions: MemPerm, _ frames: inout TestFrames
  ) throws(AddressSpaceError) {
    let lowest = (0...pages.count - count).first { pages[$0..<$0 + count].allSatisfy { $0 == nil } }
    do throws(AddressSpaceError) {
      let found = try process.space.addRegion(byteCount: UInt(count) * 4096, permissions, &frames)
      if found.start != lowest.map({ address($0) }) {
        finding = "placed at \(found), first fit is page \(lowest ?? -1)"
      }
      let first = Int((found.start.raw - start.raw) / 4096)
      for page in first..<first + count { pages[page] = ModelPage(permissions: permissions, purpose: .heap) }
    } catch {
      if (lowest == nil) != (error == .noRoom(UInt(count) * 4096)) {
        finding = "first fit is page \(lowest ?? -1): \(error)"
      }
      throw error
    }
  }

  private mutating func unmap(_ some: Range<Int>, _ frames: inout TestFrames) throws(AddressSpaceError) {
    try process.space.unmap(range(some), &frames, &process.tlb, &source)
    for page in some { pages[page] = nil }
  }

  private mutating func protect(
    _ some: Range<Int>, _ permissions: MemPerm, _ frames: inout TestFrames
  ) throws(AddressSpaceError) {
    let hole = some.first { pages[$0] == nil }
    do throws(AddressSpaceError) {
      try process.space.protect(range(some), permissions, &frames, &process.tlb)
    } catch {
      if hole.map({ .noRegion(address($0)) }) ?? .outOfFrames != error { finding = "protect: \(error)" }
      throw error
    }
    if hole != nil { finding = "protect passed over a hole" }
    for page in some { pages[page]?.permissions = permissions }
  }

  private mutating func discard(_ some: Range<Int>, _ frames: inout TestFrames) throws(AddressSpaceError) {
    try process.space.discard(range(some), &frames, &process.tlb, &source)
    for page in some { pages[page]?.word = nil }
  }

  /// Writes or reads the first word of each page.
  private mutating func access(_ some: Range<Int>, _ value: UInt64, _ frames: inout TestFrames) {
    for page in some {
      let kind: MemoryAccess = (value >> UInt64(page % 64)) & 1 == 0 ? .read : .write
      do throws(FaultRefusal) {
        let place = try process.access(address(page), kind, &frames, &source)
        guard let model = pages[page], kind == .read || model.permissions.contains(.write) else {
          finding = "page \(page) allows what it must not"
          return
        }
        let expected = model.isShared ? sharedWords[Int(model.offset / 4096)] : model.word ?? fileWord(model)
        if kind == .read, frames.word(place) != expected {
          finding = "page \(page) reads \(frames.word(place)), expected \(expected)"
        } else if kind == .write {
          frames.write(value, at: place)
          if model.isShared { sharedWords[Int(model.offset / 4096)] = value } else { pages[page]?.word = value }
        }
      } catch {
        check(error, page, kind, frames.allocationsLeft != nil)
      }
    }
  }

  /// What a page of the file, or of no object, holds before it is written.
  private func fileWord(_ page: ModelPage) -> UInt64 { page.object == .none ? 0 : TestObjects.word(at: page.offset) }

  private mutating func check(_ refusal: FaultRefusal, _ page: Int, _ kind: MemoryAccess, _ mayRunOut: Bool) {
    let isRight: Bool
    switch refusal {
    case .noRegion: isRight = pages[page] == nil
    case .notPermitted: isRight = kind == .write && pages[page]?.permissions == .userReadOnly
    case .noPage: isRight = (pages[page]?.offset ?? 0) >= SpaceModel.objectPageCount * 4096
    case .outOfFrames: isRight = mayRunOut
    case .guardPage, .notYet: isRight = false
    }
    if !isRight { finding = "page \(page): \(refusal)" }
  }

  /// The regions must be the longest runs of pages that are alike.
  mutating func check() {
    var expected: [ClosedRange<Int>] = []
    for page in pages.indices {
      guard let model = pages[page] else { continue }
      if page > 0, let last = pages[page - 1], last.continues(as: model), let run = expected.last {
        expected[expected.count - 1] = run.lowerBound...page
      } else {
        expected.append(page...page)
      }
    }
    let regions = process.space.allRegions
    let found = regions.map { Int(($0.start.raw - start.raw) / 4096)...Int(($0.last.raw - start.raw) / 4096) }
    if found != expected || process.space.regionCount != found.count {
      finding = "regions are \(found), expected \(expected)"
      return
    }
    for region in regions {
      let page = pages[Int((region.start.raw - start.raw) / 4096)]
      if page?.permissions != region.permissions || page?.object != region.object || page?.offset != region.objectOffset
      {
        finding = "\(region) is wrong"
      }
    }
    let shown = pages.reduce(0) { $0 + ($1 == nil || $1?.object == MemoryObject.none ? 0 : 4096) }
    if source.openByteCount != UInt64(shown) { finding = "\(source.openByteCount) bytes are open, expected \(shown)" }
  }

  consuming func end(_ frames: inout TestFrames) {
    process.exit(&frames, &source)
    let open = source.openByteCount
    #expect(open == 0)
    // A page that was written to through a shared region was reported.
    for (index, word) in sharedWords.enumerated() where word != 0 {
      let isReported = source.writtenPages.contains(UInt64(index) * 4096)
      #expect(isReported, "page \(index) of the shared object")
    }
    source.end(&frames)
  }
}
