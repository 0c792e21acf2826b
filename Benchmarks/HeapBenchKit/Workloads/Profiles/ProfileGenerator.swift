// From a profile to a workload, which is the same for the same seed and scale on every machine (see
// ReproducibleRandom).
//
// A run is a sequence of requests. The phase's shares decide each request's population. A thread makes it and keeps
// its turn for some requests. The request allocates an object, or resizes one. Then objects of the population die, in
// the order of their death keys, until its live bytes are back at what the phase wants:
//
//   live(population, thread) ≤ wanted(population, phase) ÷ threads · wave        after every request
//
// As requests go on, live comes as close to wanted as an object's size allows. An object's death key is the time of its
// birth plus a lifetime from the population's distribution. The clock counts the population's allocations by the
// thread. By Little's law, keys come due exactly when objects must die if
//
//   mean lifetime = wanted ÷ mean size                                           [allocations]
//
// So a profile sets the live bytes and the shape of the lifetimes, and both hold. If it also set the mean lifetime, one
// of the three could not hold. A phase that wants fewer live bytes than there are begins with deaths, in the same
// order. The survivors lie scattered among the dead, and this fragments a heap.
//
// Objects that are live at the end stay live, as in a recorded trace.

/// Makes workloads from profiles.
public enum ProfileGenerator {
  /// The range of useful scales, from a smoke test to a soak test.
  public static let scales: ClosedRange<Double> = 0.0001...100

  /// The workload of `profile`, the same for the same seed and scale, on every machine.
  ///
  /// - Parameters:
  ///   - seed: Any number.
  ///   - scale: A factor for the number of requests and the live bytes, within ``scales``; sizes stay the same.
  /// - Complexity: O(*n* log *m*) for *n* requests and *m* live objects.
  public static func workload(of profile: Profile, seed: UInt64, scale: Double = 1) -> Workload {
    precondition(scales.contains(scale), "a workload's scale must be 0.0001…100")
    let builder: WorkloadBuilder
    switch profile.behaviour {
    case .phases(let populations, let phases, let repetitions):
      var run = PhasedRun(profile, populations, seed: seed, scale: scale)
      for _ in 0..<repetitions {
        for phase in phases { run.play(phase) }
      }
      builder = run.builder
    case .adversary(.robson(let liveByteCount, let unit, let limit)):
      let live = max(limit, UInt64(Double(liveByteCount) * scale))
      builder = RobsonAdversary.steps(liveByteCount: live, unit: unit, limit: limit)
    }
    return Workload(
      name: profile.name, summary: profile.summary, threadCount: profile.threadCount,
      objectCount: Int(builder.objectCount), steps: builder.steps)
  }
}
