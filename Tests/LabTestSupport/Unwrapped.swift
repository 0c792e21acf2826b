public import Testing

/// The value, or a test failure where it is nil: `#require` for calls on noncopyable types.
public func unwrapped<Value>(_ value: Value?, sourceLocation: SourceLocation = #_sourceLocation) throws -> Value {
  try #require(value, sourceLocation: sourceLocation)
}
