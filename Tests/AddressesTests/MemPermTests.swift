import Addresses
import Testing

@Suite struct MemPermTests {
  @Test func theNamedCombinationsAllowWhatTheySay() {
    #expect("\(MemPerm.kernelReadOnly) \(MemPerm.kernelData) \(MemPerm.kernelCode)" == "r--- rw-- r-x-")
    #expect("\(MemPerm.userReadOnly) \(MemPerm.userData) \(MemPerm.userCode)" == "r--u rw-u r-xu")
    #expect("\(MemPerm())" == "----")
  }

  @Test func noNamedCombinationCanBeWrittenAndRun() {
    let named: [MemPerm] = [.kernelReadOnly, .kernelData, .kernelCode, .userReadOnly, .userData, .userCode]
    for permissions in named { #expect(!permissions.contains(.write | .execute)) }
  }

  @Test func permissionsAreASet() {
    let all: [MemPerm] = (0..<16).map { MemPerm(rawValue: $0) }
    for left in all {
      #expect(left.contains(MemPerm()) && left.contains(left))
      for right in all {
        #expect((left | right).rawValue == left.rawValue | right.rawValue)
        #expect((left | right).contains(left) && (left | right).contains(right))
        #expect(left.intersection(right).rawValue == left.rawValue & right.rawValue)
        #expect(left.subtracting(right).intersection(right) == MemPerm())
        #expect(left.subtracting(right) | left.intersection(right) == left)
        #expect(left.contains(right) == (left | right == left))
      }
    }
    let literal: MemPerm = [.read, .write, .user]
    #expect(literal == .userData)
  }
}
