import HeapBenchKit

/// A message about the first step that breaks a promise of `Workload`; nil when no step does.
func brokenPromise(of workload: Workload) -> String? {
  enum Life { case unborn, live, dead }
  var lives = ContiguousArray(repeating: Life.unborn, count: workload.objectCount)
  var next = 0
  for (index, step) in workload.steps.enumerated() {
    if Int(step.thread) >= workload.threadCount { return "step \(index) has no thread \(step.thread)" }
    if step.alignmentLog2 > 63 { return "step \(index) has no alignment 2^\(step.alignmentLog2)" }
    if step.kind == .pause { continue }
    let object = Int(step.object)
    if object >= workload.objectCount { return "step \(index) has no object \(object)" }
    switch step.kind {
    case .allocate, .allocateZeroed:
      if object != next { return "step \(index) allocates \(object) out of order" }
      lives[object] = .live
      next += 1
    case .reallocate:
      if lives[object] != .live { return "step \(index) reallocates \(object), which is not live" }
    case .deallocate:
      if lives[object] != .live { return "step \(index) deallocates \(object), which is not live" }
      lives[object] = .dead
    case .pause: break
    }
  }
  return next == workload.objectCount ? nil : "only \(next) of \(workload.objectCount) objects are allocated"
}
