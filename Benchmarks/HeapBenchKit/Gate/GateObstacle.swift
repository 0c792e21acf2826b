/// Why a figure could not be measured, or a gate not be held: one line for a person, with the way out.
public struct GateObstacle: Error, Hashable, Sendable, CustomStringConvertible {
  /// The line, without a newline.
  public let description: String

  /// An obstacle with this line.
  init(_ description: String) {
    self.description = description
  }
}
