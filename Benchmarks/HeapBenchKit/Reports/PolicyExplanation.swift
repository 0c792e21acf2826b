public import Foundation

/// The output of `heapbench explain` for a policy: what it is, how it works and what it costs.
public struct PolicyExplanation: Sendable {
  private let policy: Policy

  /// The explanation of a policy.
  public init(_ policy: Policy) {
    self.policy = policy
  }

  /// The text. Each line ends with a newline.
  public func text(style: TerminalStyle) -> String {
    let use =
      policy.isInMainJob
      ? "It is part of the main job; 'heapbench run --policy \(policy.name)' measures it alone."
      : "It is no part of the main job; 'heapbench run --policy \(policy.name)' measures it."
    let paragraphs = ["\(policy.summary.capitalizedFirst).", policy.explanation, use].filter { !$0.isEmpty }
    return style.text(policy.name, .title) + "\n"
      + paragraphs.map { style.paragraph($0) + "\n" }.joined(separator: "\n")
  }

  /// The explanation as JSON, keys in alphabetical order.
  public func json() throws -> Data {
    struct File: Encodable {
      let name: String
      let summary: String
      let explanation: String
      let isInMainJob: Bool
      let receivesMemory: Bool
    }
    return try File(
      name: policy.name, summary: policy.summary, explanation: policy.explanation, isInMainJob: policy.isInMainJob,
      receivesMemory: policy.receivesMemory
    ).json()
  }
}

extension String {
  /// The text with its first letter in upper case.
  fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
