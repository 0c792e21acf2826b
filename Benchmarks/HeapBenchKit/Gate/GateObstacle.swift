/// Why a figure could not be measured, or the gate not run: one line that tells the user what to do.
public struct GateObstacle: Error, Hashable, Sendable, CustomStringConvertible {
  /// The line, without a newline.
  public let description: String

  /// Whether other work on the machine is the cause: the same measurement may succeed later.
  let isNoise: Bool

  /// An obstacle that this line describes.
  init(_ description: String, isNoise: Bool = false) {
    self.description = description
    self.isNoise = isNoise
  }
}
