import LabTestSupport
import Testing

@testable import ProcessHeap

/// What is kept, for whom, how much and how long: by a clock of the test's own.
@Suite("Kept mappings")
struct KeptMappingsTests {
  private static let mebibyte: UInt = 1 << 20

  /// The mappings at these mebibytes, kept at times 1, 2, 3 and so on.
  private static func kept(_ ranges: Range<UInt>...) -> KeptMappings {
    var kept = KeptMappings()
    for (index, range) in ranges.enumerated() {
      kept.add(
        KeptMapping(
          address: range.lowerBound * mebibyte, byteCount: UInt(range.count) * mebibyte,
          keptAtMilliseconds: UInt(index) + 1))
    }
    return kept
  }

  /// Takes mebibytes, and returns the first one's number.
  private static func take(_ count: UInt, from kept: inout KeptMappings, alignment: UInt = 1) -> UInt? {
    kept.take(byteCount: count * mebibyte, alignment: alignment * mebibyte).map { $0 / mebibyte }
  }

  @Test("A block gets the first bytes of the shortest run that fits")
  func shortest() {
    var kept = Self.kept(100..<200, 300..<350, 400..<460)
    #expect(Self.take(45, from: &kept) == 300)
    #expect(Self.take(45, from: &kept) == 400)
    #expect(Self.take(45, from: &kept) == 100)
    #expect(Self.take(56, from: &kept) == nil, "only 55 are left at 145, and the others are shorter")
    #expect(Self.take(55, from: &kept) == 145)
    #expect(kept.byteCount == (5 + 15) * Self.mebibyte)
  }

  @Test("Of two runs of one length the youngest serves, and the other grows old")
  func tie() {
    var kept = Self.kept(140..<180, 100..<140)
    #expect(Self.take(40, from: &kept) == 100)
    #expect(kept.oldest?.keptAtMilliseconds == 1)
  }

  @Test("Mappings side by side are one run, whatever their order")
  func sideBySide() {
    var kept = Self.kept(140..<164, 100..<140, 164..<170, 171..<400)
    #expect(Self.take(65, from: &kept) == 100)
    #expect(kept.count == 2 && Self.take(5, from: &kept) == 165)
  }

  @Test("A block at a multiple starts a mapping")
  func alignment() {
    var kept = Self.kept(100..<200, 256..<400)
    #expect(Self.take(50, from: &kept, alignment: 64) == 256)
    #expect(Self.take(50, from: &kept, alignment: 64) == nil)
    #expect(Self.take(50, from: &kept, alignment: 4) == 100)
  }

  @Test("The oldest goes first, from its end, and only what is old enough")
  func oldest() {
    var kept = Self.kept(100..<140, 200..<250)
    var piece = kept.takePiece(atMost: Self.mebibyte, keptUpTo: 0)
    #expect(piece == nil)
    piece = kept.takePiece(atMost: 15 * Self.mebibyte, keptUpTo: 1)
    #expect(
      piece == KeptMapping(address: 125 * Self.mebibyte, byteCount: 15 * Self.mebibyte, keptAtMilliseconds: 1))
    #expect(Self.take(20, from: &kept) == 100, "the rest is still kept")
    piece = kept.takePiece(atMost: .max, keptUpTo: 1)
    #expect(piece?.byteCount == 5 * Self.mebibyte)
    piece = kept.takePiece(atMost: .max, keptUpTo: 1)
    #expect(piece == nil && kept.oldest?.keptAtMilliseconds == 2)
    piece = kept.takePiece(atMost: .max, keptUpTo: 2)
    #expect(piece?.byteCount == 50 * Self.mebibyte)
    #expect(kept.count == 0 && kept.byteCount == 0 && kept.oldest == nil)
  }

  @Test("The rest of a long run keeps its age while its front comes and goes")
  func restAges() {
    var kept = Self.kept(100..<164)
    for time: UInt in 10..<20 {
      #expect(Self.take(40, from: &kept) == 100)
      kept.add(
        KeptMapping(address: 100 * Self.mebibyte, byteCount: 40 * Self.mebibyte, keptAtMilliseconds: time))
    }
    let rest = kept.takePiece(atMost: .max, keptUpTo: 9)
    #expect(rest?.byteCount == 24 * Self.mebibyte)
    #expect(kept.oldest?.keptAtMilliseconds == 19)
  }

  @Test("At most 16 mappings and 1 GiB are kept")
  func bounds() {
    var kept = KeptMappings()
    for index: UInt in 0..<16 {
      #expect(kept.hasRoom(for: 4096))
      kept.add(KeptMapping(address: index * 2 * 4096, byteCount: 4096, keptAtMilliseconds: 1))
    }
    #expect(!kept.hasRoom(for: 4096))
    kept = Self.kept(0..<1000)
    #expect(kept.hasRoom(for: 24 * Self.mebibyte) && !kept.hasRoom(for: 24 * Self.mebibyte + 4096))
  }

  @Test("Random changes agree with a list of pages", arguments: 1...8 as ClosedRange<UInt64>)
  func model(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var kept = KeptMappings()
    // For each page that is kept, the time since when.
    var pages: [UInt: UInt] = [:]
    for time: UInt in 1...2000 {
      let count = UInt.random(in: 1...20, using: &generator)
      let first = UInt.random(in: 1...400, using: &generator)
      switch Int.random(in: 0..<4, using: &generator) {
      case 0, 1:
        let isFree = (first..<first + count).allSatisfy { pages[$0] == nil }
        guard isFree, kept.hasRoom(for: count * 4096) else { continue }
        kept.add(KeptMapping(address: first * 4096, byteCount: count * 4096, keptAtMilliseconds: time))
        for page in first..<first + count { pages[page] = time }
      case 2:
        let address = kept.take(byteCount: count * 4096, alignment: 4096)
        if let address {
          for page in (address / 4096)..<(address / 4096 + count) {
            #expect(pages.removeValue(forKey: page) != nil, "seed \(seed), time \(time): page \(page)")
          }
        } else {
          // No run is as long: its first page starts a mapping.
          let longest = pages.keys.filter { pages[$0 - 1] == nil }.map { start in
            (start...).prefix { pages[$0] != nil }.count
          }.max()
          #expect(longest ?? 0 < Int(count), "seed \(seed), time \(time)")
        }
      default:
        let oldest = pages.values.min()
        let limit = UInt.random(in: 0...time, using: &generator)
        let piece = kept.takePiece(atMost: count * 4096, keptUpTo: limit)
        let isOldEnough = oldest ?? .max <= limit
        #expect(piece?.keptAtMilliseconds == (isOldEnough ? oldest : nil), "seed \(seed), time \(time)")
        guard let piece else { continue }
        for page in (piece.address / 4096)..<(piece.end / 4096) {
          #expect(pages.removeValue(forKey: page) == piece.keptAtMilliseconds, "seed \(seed), time \(time)")
        }
      }
      #expect(kept.byteCount == UInt(pages.count) * 4096, "seed \(seed), time \(time)")
    }
  }
}
