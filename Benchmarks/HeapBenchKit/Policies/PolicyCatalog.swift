import FirstFitHeap
import GeneralHeap

/// All policies. A new policy takes one file with its type, and one line here.
public enum PolicyCatalog {
  /// All policies, in the order of reports.
  public static let all: [Policy] = [
    .heap(
      "general", GeneralHeap.self,
      summary: "size classes in spans, first fit above 32 KiB: what libheaplab.so runs on, here with one thread heap"),
    .heap("firstfit", FirstFitHeap.self, summary: "address-ordered first fit with immediate coalescing, indexed"),
    .heap("buddy", BuddyHeap.self, summary: "a binary buddy: every request is a power of two of 4 KiB frames"),
    .heap(
      "list", PlainListHeap.self, isInMainJob: false, summary: "first fit by a walk along a list of the holes: O(n)"),
    system,
  ]

  /// The yardstick: the process's malloc.
  public static let system = Policy.allocator(
    "system", SystemMalloc(), summary: "the system's malloc, in the C library's default configuration")

  /// The policy with this name; nil without one.
  public static func policy(named name: String) -> Policy? {
    all.first { $0.name == name }
  }
}
