import Foundation
public import SpinLocks

/// A thread as a processor: a signal is its interrupt, and its signal mask says whether interrupts are enabled.
///
/// A thread that inherits the mask of a dispatch worker starts with interrupts disabled.
public enum SignalInterrupts: InterruptControl {
  public static let signal = SIGUSR1

  public static func disable() -> Bool {
    var (mask, old) = (sigset_t(), sigset_t())
    // SAFETY: both sets are this function's own.
    unsafe sigaddset(&mask, signal)
    unsafe pthread_sigmask(SIG_BLOCK, &mask, &old)
    return unsafe sigismember(&old, signal) == 0
  }

  public static func enable() {
    var mask = sigset_t()
    // SAFETY: the set is this function's own.
    unsafe sigaddset(&mask, signal)
    unsafe pthread_sigmask(SIG_UNBLOCK, &mask, nil)
  }

  private static let turn = NSLock()

  /// Runs `body`; meanwhile interrupts of all threads run `handler`. Others who call this wait.
  public static func handling(_ handler: @escaping @convention(c) (CInt) -> Void, _ body: () -> Void) {
    turn.withLock {
      var action = sigaction()
      // SAFETY: the handler is a C function; `sigaction` copies the record.
      unsafe action.__sigaction_handler.sa_handler = handler
      unsafe sigaction(signal, &action, nil)
      body()
    }
  }

  /// Interrupts this thread; returns after the handler if interrupts are enabled.
  public static func request() { pthread_kill(pthread_self(), signal) }
}
