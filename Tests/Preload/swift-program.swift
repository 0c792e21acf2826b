// A Swift program under the preload: classes, strings, dictionaries, existential values and tasks, whose runtime must
// be its own and not the library's.

protocol Shape {
  func area() -> Double
}

final class Square: Shape {
  let side: Double
  init(side: Double) { self.side = side }
  func area() -> Double { side * side }
}

struct Circle: Shape {
  let radius: Double
  func area() -> Double { 3 * radius * radius }
}

func shape(_ number: Int) -> any Shape {
  if number % 2 == 0 { return Square(side: Double(number)) }
  return Circle(radius: Double(number))
}

@main
struct Program {
  static func main() async {
    var counts: [String: Int] = [:]
    for number in 0..<200_000 { counts["key \(number % 5000)", default: 0] += number }
    let shapes: [any Shape] = (0..<10_000).map(shape)
    let total = shapes.reduce(0) { $0 + $1.area() }
    let lengths = await withTaskGroup(of: Int.self) { group in
      for task in 0..<64 {
        group.addTask { (0..<2000).map { "task \(task) line \($0)" }.joined(separator: "\n").utf8.count }
      }
      return await group.reduce(0, +)
    }
    print(counts.count, counts["key 42"] ?? 0, Int(total), lengths)
  }
}
