/// A place where the tree breaks a rule, with one sentence that says how.
struct Offence: CustomStringConvertible {
  let path: String
  let line: Int
  let sentence: String

  init(_ path: String, _ line: Int, _ sentence: String) {
    self.path = path
    self.line = line
    self.sentence = sentence
  }

  var description: String { "\(path):\(line): \(sentence)" }
}
