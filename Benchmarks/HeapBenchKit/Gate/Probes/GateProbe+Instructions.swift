// Instructions, by callgrind: what of the machine they depend on is the compiler and the C library's choice of its own
// code. They repeat exactly where one thread runs, so the tolerance is for what a change elsewhere does to inlining.

extension GateProbe {
  static let codeTraits: Set<GateMachine.Trait> = [.architecture, .build, .compiler, .libc, .processor]

  /// Every hot path of every policy that receives its memory, in instructions for each call.
  static var hotPaths: [GateProbe] {
    GateCatalog.policies.flatMap { policy in
      HotPathWorkload.allCases.map { workload in
        let figure = GateFigure(
          "instructions/\(policy.name)/\(workload.rawValue)", .percent(2), dependsOn: codeTraits)
        return GateProbe("instructions: \(policy.name) \(workload.rawValue)", [figure]) { workbench in
          [try await HotPathProcess.count(workload, policy: policy.name, on: workbench).hundredths]
        }
      }
    }
  }

  /// Every operation on page tables, in instructions for each page or address.
  static var pageTables: [GateProbe] {
    PagingOperation.allCases.map { operation in
      let figure = GateFigure("instructions/page-tables/\(operation.rawValue)", .percent(2), dependsOn: codeTraits)
      return GateProbe("instructions: page tables, \(operation.title)", [figure]) { workbench in
        [try await PagingInstructionCount.count(operation, on: workbench).hundredths]
      }
    }
  }
}

extension Double {
  /// Rounded to two decimals: what is left of the work around the measured part is not worth more.
  var hundredths: Double { (self * 100).rounded() / 100 }

  /// Rounded to three decimals.
  var thousandths: Double { (self * 1000).rounded() / 1000 }
}
