import BuddyFrames

/// Every self-test, from the heap up to several processors.
func testAll() {
  testHeap()
  testTables()
  testProcesses()
  testProcessors()
  test("frames: every zone is consistent") {
    withMemory { memory in
      for zone in 0..<memory.frames.count {
        memory.frames.withZone(zone) { zone in
          do throws(BuddyFramesDefect) {
            try zone.frames.checkConsistency()
          } catch {
            expect(false, "a zone must be consistent")
          }
        }
      }
    }
  }
}
