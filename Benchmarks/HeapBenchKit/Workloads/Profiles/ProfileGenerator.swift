// From a profile to a workload: the same one for the same seed and scale, on every machine (see ReproducibleRandom).
//
// A run is a sequence of requests. Each is made by a thread, which keeps its turn for some requests, and is for a
// population, drawn by the phase's shares. It allocates an object, or resizes one. Then objects of the population
// die, in the order of their death keys, until its live bytes are back at what the phase wants:
//
//   live(population, thread) ≤ wanted(population, phase) ÷ threads · wave        after every request
//
// and as requests go on, live comes as close to wanted as an object's size allows. An object's death key is the time
// of its birth plus a lifetime of the population's distribution. The time is counted in allocations of the population
// by the thread, and the mean lifetime is what Little's law asks for, so that keys come due just as objects must go:
//
//   mean lifetime = wanted ÷ mean size                                           [allocations]
//
// So a profile gives the live bytes and the shape of the lifetimes, and both hold. Were the mean lifetime a parameter
// too, one of the three would give way. A phase that wants less than there is begins with as many deaths as that takes,
// in the same order: what survives is scattered among what died, and this is what fragments a heap.
//
// Objects still alive at the end stay so, as in a recorded trace.

/// Makes workloads of profiles.
public enum ProfileGenerator {
  /// The range of scales that make sense: a smoke test's to a soak's.
  public static let scales: ClosedRange<Double> = 0.0001...100

  /// The workload of `profile`, the same for the same seed and scale, on every machine.
  ///
  /// - Parameters:
  ///   - seed: Any number.
  ///   - scale: A factor to the number of requests and the live bytes, within ``scales``; sizes stay as they are.
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
