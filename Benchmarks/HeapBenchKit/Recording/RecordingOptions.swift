import Glibc

/// What is recorded of a program beside its calls, and of how many of them.
public struct RecordingOptions: Sendable {
  /// The most frames of an allocation's call stack; 0 for no stacks.
  public var frameCountMax = 0

  /// The mean bytes from one sampled allocation to the next; 0 for all calls.
  public var sampleByteCount = 0

  /// The frames that a call stack may have.
  public static let frameCounts = 1...64
  /// The frames where nobody says how many.
  public static let usualFrameCount = 32
  /// The distances of samples.
  public static let sampleByteCounts = 1...(1 << 40)

  /// All calls, without stacks.
  public init() {}

  /// Whether the library that unwinds call stacks is installed.
  public static var canUnwind: Bool {
    // SAFETY: dlopen reads a C string; the library stays loaded.
    unsafe dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL) != nil
  }
}
