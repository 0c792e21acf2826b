import ProcessHeap
import Testing

@Suite struct ProcessHeapExample {
  /// In a process of its own, since the tests of the process's heap count what is in it.
  @Test func theHeapOfTheProcess() async {
    await #expect(processExitsWith: .success) {
      // BEGIN
      let block = ProcessHeap.allocate(1000)  // an address; 0 and `errno` when memory runs out
      let usable = ProcessHeap.usableByteCount(of: block)
      ProcessHeap.deallocate(block)  // on any thread
      // END
      #expect(block != 0 && usable >= 1000)
    }
  }
}
