// Instructions, counted by callgrind. They depend on the compiler, and on the code that the C library chooses for the
// processor that valgrind emulates. On one thread they repeat exactly. The tolerance is for changes elsewhere, which may
// change inlining.

extension GateProbe {
  /// The traits that a system call, a page fault or a resident byte in a process depends on. The C library's choice of
  /// string functions is none of them: each reads and writes the same bytes.
  static let codeTraits: Set<GateMachine.Trait> = [.architecture, .build, .compiler, .libc]

  /// The traits that a count by callgrind depends on.
  static let countTraits = codeTraits.union([.emulatedProcessor])

  /// The instructions for each call, on every hot path of every policy that receives its memory.
  static var hotPaths: [GateProbe] {
    GateCatalog.policies.flatMap { policy in
      HotPathWorkload.allCases.map { workload in
        let figure = GateFigure(
          "instructions/\(policy.name)/\(workload.rawValue)", .percent(2), dependsOn: countTraits)
        return GateProbe("instructions: \(policy.name) \(workload.rawValue)", [figure]) { workbench in
          [try await HotPathProcess.count(workload, policy: policy.name, on: workbench).hundredths]
        }
      }
    }
  }

  /// The instructions for each page or address, for every operation on page tables.
  static var pageTables: [GateProbe] {
    PagingOperation.allCases.map { operation in
      let figure = GateFigure("instructions/page-tables/\(operation.rawValue)", .percent(2), dependsOn: countTraits)
      return GateProbe("instructions: page tables, \(operation.title)", [figure]) { workbench in
        [try await PagingInstructionCount.count(operation, on: workbench).hundredths]
      }
    }
  }

  /// The instructions for each pair of requests for a frame, whatever the memory.
  static var frames: [GateProbe] {
    FrameMemory.allCases.map { memory in
      let figure = GateFigure("instructions/frames/\(memory.rawValue)", .percent(2), dependsOn: countTraits)
      return GateProbe("instructions: frames, \(memory.rawValue)", [figure]) { workbench in
        [try await FramePairs.count(memory, on: workbench).hundredths]
      }
    }
  }
}

extension Double {
  /// The number rounded to two decimals. Work around the measured part makes further digits meaningless.
  var hundredths: Double { (self * 100).rounded() / 100 }

  /// The number rounded to three decimals.
  var thousandths: Double { (self * 1000).rounded() / 1000 }
}
