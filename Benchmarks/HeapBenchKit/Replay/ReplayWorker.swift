import Addresses

/// One thread of a timed replay: takes its steps of the workload in their order, on the shared target.
struct ReplayWorker<Target: ReplayTarget, Observer: ReplayObserver> {
  let target: Target
  var observer: Observer

  /// The requests that got no memory.
  private(set) var failureCount = 0

  init(target: Target, observer: Observer) {
    self.target = target
    self.observer = observer
  }

  /// Takes `steps`, which are all of one thread; with a `pace` where there are other threads.
  mutating func take(
    _ steps: UnsafeBufferPointer<ReplayStep>, objects: borrowing ObjectTable, pace: ReplayPace? = nil, thread: Int = 0
  ) {
    var limit = 0
    for index in steps.indices {
      // SAFETY: the caller's buffer outlives the call.
      let step = unsafe steps[index]
      if let pace { pace.enter(thread, at: Int(step.position), limit: &limit) }
      switch step.kind {
      case .pause: break
      case .allocate, .allocateZeroed: allocate(step, objects)
      case .reallocate: reallocate(step, objects)
      case .deallocate: deallocate(step, objects)
      }
      observer.stepTaken(at: Int(step.position))
    }
  }

  @inline(__always)
  private mutating func allocate(_ step: ReplayStep, _ objects: borrowing ObjectTable) {
    let byteCount = UInt(step.amount)
    let isZeroed = step.kind == .allocateZeroed
    observer.callBegins()
    let address =
      isZeroed
      ? target.allocateZeroed(byteCount: byteCount, alignment: step.alignment)
      : target.allocate(byteCount: byteCount, alignment: step.alignment)
    observer.callEnds()
    if let address {
      if isZeroed { BlockContent.checkZero(address, byteCount: byteCount) }
      BlockContent(of: step.object).write(to: address, byteCount: byteCount)
      countGrant(address, byteCount)
    } else {
      failureCount += 1
    }
    objects.publish(address ?? .null, for: step.object, turn: step.turn)
  }

  @inline(__always)
  private mutating func reallocate(_ step: ReplayStep, _ objects: borrowing ObjectTable) {
    let address = objects.wait(for: step.object, turn: step.turn)
    var moved = VirtAddr.null
    if !address.isNull {
      let content = BlockContent(of: step.object)
      let (old, new) = (UInt(step.previousAmount), UInt(step.amount))
      observer.callBegins()
      let result = target.reallocate(address, toByteCount: new, alignment: step.alignment)
      observer.callEnds()
      if let result {
        moved = result
        if new >= 8 || old < 8 { content.check(moved, byteCount: min(old, new)) }
        if new >= old { content.checkEnd(moved, byteCount: old) }
        content.write(to: moved, from: min(old, new), byteCount: new)
        if new < old || old < 8 { content.write(to: moved, byteCount: new) }
        countGrant(moved, new)
      } else {
        failureCount += 1
        target.deallocate(address)
      }
    }
    objects.publish(moved, for: step.object, turn: step.turn)
  }

  @inline(__always)
  private mutating func countGrant(_ address: VirtAddr, _ byteCount: UInt) {
    guard Observer.countsGrants else { return }
    observer.granted(usableByteCount: target.usableByteCount(of: address), requestedByteCount: byteCount)
  }

  @inline(__always)
  private mutating func deallocate(_ step: ReplayStep, _ objects: borrowing ObjectTable) {
    let address = objects.wait(for: step.object, turn: step.turn)
    if !address.isNull {
      BlockContent(of: step.object).check(address, byteCount: UInt(step.previousAmount))
      observer.callBegins()
      target.deallocate(address)
      observer.callEnds()
    }
    objects.publish(.null, for: step.object, turn: step.turn)
  }
}
