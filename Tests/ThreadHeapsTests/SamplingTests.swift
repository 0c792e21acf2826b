import HeapBlocks
import HeapSpaces
import LabTestSupport
import Testing

@testable import ThreadHeaps

/// Which requests of a heap are samples.
@Suite("Sampling")
struct SamplingTests {
  @Test(
    "The bytes up to a sample are exponentially distributed: mean and quantiles", arguments: [1000, 524288, 1 << 36])
  func draws(mean: UInt) {
    let count: UInt = 1 << 16
    var sum = 0.0
    for index in 0..<count {
      let uniform = index << 48 | 1 << 47
      let draw = SampleCountdown.exponential(uniform, mean: mean)
      let exact = -_log((Double(index) + 0.5) / Double(count)) * Double(mean)
      #expect(abs(Double(draw) - exact) <= Double(mean) / 65536 + 1.01)
      sum += Double(draw)
    }
    // The sum over the middles of equal parts lies below the integral by a part in 2^17.
    #expect(abs(sum / Double(count) / Double(mean) - 1) < 2e-5 + 1 / Double(mean))
    #expect(
      SampleCountdown.exponential(0, mean: mean) > Int(mean) * 43 && SampleCountdown.exponential(.max, mean: mean) == 1)
  }

  /// -ln(x) by the series of the area tangent, without libm.
  private func _log(_ x: Double) -> Double {
    let m = x.significand
    let z = (m - 1) / (m + 1)
    var (power, sum) = (z, 0.0)
    for odd in stride(from: 1.0, to: 80, by: 2) {
      sum += power / odd
      power *= z * z
    }
    return 2 * sum + Double(x.exponent) * 0.693147180559945309
  }

  /// A request as malloc makes it, and whether it is a sample.
  private func allocate(_ heap: ThreadHeap, _ byteCount: UInt) throws -> (block: UInt, isSample: Bool) {
    let sizeClass = SizeClass(fitting: byteCount)
    if sizeClass.hasMagazine {
      let block = try heap.allocate(byteCount)
      return (block, heap.countsSample(sizeClass, sizeClass.blockByteCount))
    }
    let block = heap.popActive(sizeClass)
    if block != 0 { return (block, false) }
    let current = heap.current(sizeClass)
    if current != 0 {
      let block = heap.refillFromCurrent(sizeClass, heap.space.span(current))
      #expect(block == 0, "a sampling heap counts every refill")
      let between = heap.refillBetweenSamples(
        sizeClass, blockByteCount: sizeClass.blockByteCount, heap.space.span(current), base: heap.space.fields.base)
      if between != 0 { return (between, false) }
    }
    let refilled = heap.refill(sizeClass)
    try #require(refilled != 0)
    return (refilled, heap.takeDue())
  }

  @Test(
    "Each block is a sample with the same probability, wherever it stands in a list, and no block is lost",
    arguments: [16, 64, 400, 1024, 3000])
  func probability(byteCount: UInt) throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    let sizeClass = SizeClass(fitting: byteCount)
    let mean = sizeClass.blockByteCount * 100
    heap.sample(every: mean, seed: 12345)
    var generator = SystemRandomNumberGenerator()
    var live: Set<UInt> = []
    var order: [UInt] = []
    var counts = [0, 0, 0, 0]
    let roundCount = 200_000
    for round in 0..<roundCount {
      let (block, isSample) = try allocate(heap, byteCount)
      #expect(live.insert(block).inserted, "a block was given out twice")
      order.append(block)
      if isSample { counts[round % 4] += 1 }
      // Waves: lists of all lengths are refilled.
      while order.count > 500 + round / 64 % 700 {
        let block = order.remove(at: Int.random(in: max(0, order.count - 40)..<order.count, using: &generator))
        live.remove(block)
        heap.deallocate(block)
      }
    }
    // P = 1 - exp(-1/100). Five standard errors of a binomial count.
    let expected = Double(roundCount) / 4 * 0.00995017
    for count in counts { #expect(abs(Double(count) - expected) < 5 * expected.squareRoot(), "\(counts)") }
    #expect(heaps.hasTrueAccount(heap))
    for block in order { heap.deallocate(block) }
    heap.purge(.demand)
    #expect(heaps.hasTrueAccount(heap) && heap.fields.heldByteCount == 0, "all blocks came back")
  }

  @Test("A heap that stops sampling is as it was")
  func stops() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    #expect(heap.magazineMaximum == 32 << 10 && heap.listedMaximum == 31 << 17 && !heap.isSampling)
    heap.sample(every: 4096, seed: 1)
    #expect(heap.magazineMaximum == 0 && heap.listedMaximum == 0 && heap.isSampling && heap.sampleMean == 4096)
    heap.sample(every: 0, seed: 2)
    #expect(heap.magazineMaximum == 32 << 10 && heap.listedMaximum == 31 << 17 && !heap.isSampling)
  }

  @Test("A sample of a block of an arena becomes one of a span, and the arena's block goes back")
  func arenaBlock() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    let sizeClass = SizeClass(fitting: 8192)
    let block = try heap.allocate(8192)
    #expect(!heaps.span(of: block).use.isSpan)
    let other = heap.replaceForSample(block, sizeClass, alignment: 16)
    #expect(other != 0 && heaps.span(of: other).use.isSpan && heap.owns(heaps.span(of: other)))
    #expect(heaps.space.arenaCountedByteCount == 0)
    heap.deallocate(other)
    heap.purge(.demand)
    #expect(heaps.hasTrueAccount(heap))
  }
}
