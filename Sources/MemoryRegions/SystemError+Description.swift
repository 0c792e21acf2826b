#if !hasFeature(Embedded)
  internal import CLabSystem

  extension SystemError: CustomStringConvertible {
    /// The system's words, and the number.
    public var description: String {
      // SAFETY: the text is static and ends with a NUL.
      unsafe "\(String(cString: lab_facts_error_text(code))) (errno \(code))"
    }
  }
#endif
