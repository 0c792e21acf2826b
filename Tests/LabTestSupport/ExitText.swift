public import Testing

/// What a test's child process wrote to standard error, as text; empty when there was no child.
public func text(of result: ExitTest.Result?) -> String {
  String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
}
