import Addresses
import BuddyFrames
import LabTestSupport
import PageTables
import SlabCaches
import SpinLocks
import Testing

// BEGIN
struct Inode: SlabObject, ~Copyable {
  let lock = SpinLock()
  var number: UInt64 = 0

  init() {}
}

func openInodes(_ frames: borrowing LockedFrames, _ directMap: OffsetPhysMapper) -> Int {
  let inodes = SlabCache<Inode, OffsetPhysMapper, SpinLock>("inode", mapper: directMap)
  var own = inodes.makeMagazines()  // one for each processor
  // SAFETY: the inode is this function's until it is deallocated.
  guard let inode = unsafe inodes.allocate(through: &own, from: frames) else { return 0 }
  unsafe inode.pointee.number = 7
  unsafe inodes.deallocate(inode, through: &own, to: frames)  // it stays constructed, for the next holder
  inodes.drain(&own, to: frames)
  return Int(inodes.drain(to: frames))
}
// END

@Suite struct SlabCachesExample {
  @Test func aCacheOfInodes() throws {
    let memory = TestMemory(byteCount: 1 << 20)
    // A slab lies at a multiple of its size, in the direct map as in physical memory.
    let directMap = OffsetPhysMapper(over: memory.range.alignedInward(to: 1 << 17), from: PhysAddr(1 << 20))
    let table = TestMemory(byteCount: BuddyFrames.tableByteCount(for: directMap.frames))
    let frames = LockedFrames(BuddyFrames(over: directMap.frames, tableIn: table.range, holding: .anything))
    let before = frames.freeFrameCount
    #expect(openInodes(frames, directMap) == 0)
    #expect(frames.freeFrameCount == before)
  }
}
