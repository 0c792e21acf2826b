import FirstFitHeap
import GeneralHeap

/// All policies. A new policy takes one file with its type, and one line here.
public enum PolicyCatalog {
  /// All policies, in the order of reports.
  public static let all: [Policy] = [
    .heap(
      "general", GeneralHeap.self,
      summary: "size classes in spans, first fit above 32 KiB: what libheaplab.so runs on, here with one thread heap",
      explanation: """
        A request of up to 32 KiB takes a block of its size class from a span, a granule of 64 KiB with blocks of one \
        class; at most an eighth of a block above 128 bytes is wasted. A larger one is placed by first fit in an arena. \
        The common allocation and deallocation each take a dozen instructions, whatever is live. docs/architecture.md \
        follows a request through it.
        """),
    .heap(
      "firstfit", FirstFitHeap.self, summary: "address-ordered first fit with immediate coalescing, indexed",
      explanation: """
        Every request gets the lowest address that fits, as in the textbook (Knuth, TAOCP 1, 2.5). A balanced tree \
        inside the holes finds it in O(log n) for n holes; a free block merges with its neighbours at once. Of the \
        classic policies it fragments least on programs (Johnstone and Wilson 1998), and its worst case is known \
        (Robson 1977): M·(1 + log2 n). docs/first-fit.md explains the index.
        """),
    .heap(
      "buddy", BuddyHeap.self, summary: "a binary buddy: every request is a power of two of 4 KiB frames",
      explanation: """
        A frame allocator, here with a heap's interface: it returns the lowest free block of the requested order, \
        splits larger blocks and merges buddies at once, in a time that does not depend on the memory's size. It is \
        made for pages; a small request wastes most of its frame.
        """),
    .heap(
      plainList, PlainListHeap.self, isInMainJob: false, summary: "first fit by a walk along a list of the holes: O(n)",
      explanation: """
        The yardstick of firstfit: it returns the same addresses, and walks past every hole below the one that fits. \
        Allocation and deallocation take O(n) for n holes. It is left out of the main job, since a fragmented heap of \
        a large program would keep it busy for hours; 'heapbench holes' shows how its cost grows.
        """),
    .heap(
      "nextfit", ListHeap<NextFit>.self, isInMainJob: false, summary: "first fit that goes on where it last allocated",
      explanation: """
        The walk starts at the hole behind the last allocation and goes round (Knuth, TAOCP 1, 2.5, exercise 6). \
        Searches get short, and small blocks scatter over the whole heap: the classic policy that fragments most on \
        programs (Johnstone and Wilson 1998).
        """),
    .heap(
      "bestfit", ListHeap<BestFit>.self, isInMainJob: false,
      summary: "the smallest hole that fits, the lowest of equal ones",
      explanation: """
        A walk along all holes takes the one that a block leaves the least of. It fragments about as little as \
        address-ordered first fit on programs (Johnstone and Wilson 1998). Its worst case is far worse: M·n for n \
        sizes (Robson 1977).
        """),
    .heap(
      "worstfit", ListHeap<WorstFit>.self, isInMainJob: false, summary: "the largest hole, the lowest of equal ones",
      explanation: """
        A walk along all holes takes the largest, which leaves large rests, and soon no hole for a large request. It is \
        here to show what a bad policy costs.
        """),
    system,
  ]

  /// The yardstick: the process's malloc.
  public static let system = Policy.allocator(
    "system", SystemMalloc(), summary: "the system's malloc, in the C library's default configuration",
    explanation: """
      The yardstick of the main job: every ×system is over its figure. It maps its own memory, which heapbench cannot \
      walk: there is no picture of its layout, and its memory is what the process has resident.
      """)

  /// The name of the list walk, beside which ``HoleCurve`` shows first fit.
  static let plainList = "plain-list"

  /// The policy with this name; nil without one.
  public static func policy(named name: String) -> Policy? {
    all.first { $0.name == name }
  }
}
