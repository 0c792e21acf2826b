import SpinLocks

/// The interrupts of one processor as a model: whether they are enabled, and requests that wait until they are.
///
/// The handler runs as on a processor: at once when interrupts are enabled, with interrupts disabled, and later
/// otherwise. The model has one processor, so the tests that use it are serialized.
enum ModelInterrupts: InterruptControl {
  nonisolated(unsafe) private(set) static var areEnabled = true
  nonisolated(unsafe) private(set) static var pendingCount = 0
  nonisolated(unsafe) private(set) static var handledCount = 0
  nonisolated(unsafe) private static var isInHandler = false
  nonisolated(unsafe) private static var handler: () -> Void = {}

  static func disable() -> Bool {
    defer { areEnabled = false }
    return areEnabled
  }

  static func enable() {
    areEnabled = true
    if !isInHandler { deliver() }
  }

  /// Requests an interrupt; a handler's own steps request none.
  static func request() {
    guard !isInHandler else { return }
    pendingCount += 1
    deliver()
  }

  /// Starts again, enabled or not, with nothing pending.
  static func reset(enabled: Bool = true, handler: @escaping () -> Void = {}) {
    areEnabled = enabled
    pendingCount = 0
    handledCount = 0
    self.handler = handler
  }

  private static func deliver() {
    while areEnabled && pendingCount > 0 {
      pendingCount -= 1
      areEnabled = false
      isInHandler = true
      handler()
      isInHandler = false
      areEnabled = true
      handledCount += 1
    }
  }
}

/// A spin lock that is interrupted before and after each of its steps: every moment at which the order of "disable" and
/// "take" matters.
struct InterruptedLock: LockKind, ~Copyable {
  /// What happens right after a release, as by another processor.
  nonisolated(unsafe) static var afterRelease: () -> Void = {}

  private let lockOfTest = SpinLock()

  func lock() {
    ModelInterrupts.request()
    unsafe lockOfTest.lock()
    ModelInterrupts.request()
  }

  func tryLock() -> Bool {
    ModelInterrupts.request()
    let isTaken = unsafe lockOfTest.tryLock()
    ModelInterrupts.request()
    return isTaken
  }

  func unlock() {
    ModelInterrupts.request()
    unsafe lockOfTest.unlock()
    ModelInterrupts.request()
    InterruptedLock.afterRelease()
  }
}
