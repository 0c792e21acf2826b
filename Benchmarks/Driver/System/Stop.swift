import Assertions
import CLabDriver

/// Ends the process with status 2 and the line `heapbench-driver: MESSAGE 'NAME'REST`.
func stop(_ message: StaticString, _ name: Text? = nil, _ rest: StaticString = "") -> Never {
  var line = TextLine()
  line.append("heapbench-driver: ")
  line.append(message)
  if let name {
    line.append(" '")
    line.append(name)
    line.append("'")
  }
  line.append(rest)
  line.write(to: STDERR_FILENO)
  exit(2)
}

/// Ends the process with status 2 and the line `heapbench-driver: MESSAGE NUMBER UNIT`.
func stop(_ message: StaticString, number: Int, _ unit: StaticString) -> Never {
  var line = TextLine()
  line.append("heapbench-driver: ")
  line.append(message)
  line.append(" ")
  line.append(number)
  line.append(" ")
  line.append(unit)
  line.write(to: STDERR_FILENO)
  exit(2)
}
