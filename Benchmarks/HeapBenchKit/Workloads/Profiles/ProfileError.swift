/// Why a profile cannot be used: one line with the profile, the line in its file, the key, what was found and what is
/// allowed.
public struct ProfileError: Error, Hashable, CustomStringConvertible {
  /// The profile's name, or its path when the file cannot be read.
  public let profile: String
  /// The line in the file, from 1; nil when the mistake has no line.
  public let line: Int?
  /// What is wrong, as the second half of a sentence.
  public let finding: String

  init(_ profile: String, line: Int?, _ finding: String) {
    self.profile = profile
    self.line = line
    self.finding = finding
  }

  public var description: String {
    line.map { "profile '\(profile)' line \($0): \(finding)" } ?? "profile '\(profile)' \(finding)"
  }
}
