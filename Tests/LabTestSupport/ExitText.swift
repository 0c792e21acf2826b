public import Testing

/// The text that a test's child process wrote to standard error; empty when there was no child.
public func text(of result: ExitTest.Result?) -> String {
  String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
}
