import Subprocess

// What the preload costs real programs beyond what a replay shows: system calls and page faults.

extension GateProbe {
  /// The traits that the kernel's counts depend on.
  static let runTraits = codeTraits.union([.kernel, .hugePages])

  /// The system calls and page faults of the programs under the preload.
  static var programs: [GateProbe] {
    GateProgram.all.map { program in
      let traits = runTraits.union([program.trait])
      let figures = [
        GateFigure("programs/\(program.name)/system-calls", .percent(3, orAtLeast: 4), dependsOn: traits),
        GateFigure("programs/\(program.name)/page-faults", .percent(5, orAtLeast: 8), dependsOn: traits),
      ]
      return GateProbe("programs: \(program.name)", figures, isAlone: true) { workbench in
        let library = try workbench.library
        return [
          try await program.systemCallCount(on: workbench, library: library),
          try await program.pageFaultCount(on: workbench, library: library),
        ]
      }
    }
  }

  /// What the preload adds to a program that does nothing.
  static var start: GateProbe {
    let figures = [
      GateFigure("start/true/instructions-added", .percent(3), dependsOn: countTraits),
      GateFigure("start/true/system-calls-added", .exact, dependsOn: codeTraits),
    ]
    return GateProbe("start: /bin/true", figures) { workbench in
      let program = try GateWorkbench.tool("true", package: "coreutils")
      let library = try await workbench.strippedLibrary
      let instructions = InstructionCounter(workbench: workbench)
      let calls = SystemCallCounter(workbench: workbench)
      return [
        try await instructions.count(program, [], environment: ["LD_PRELOAD": library])
          - instructions.count(program, []),
        try await calls.count(program, [], library: library) - calls.count(program, [], library: nil),
      ]
    }
  }

  /// The size of the library without symbols, and the number of names that it exports.
  static var library: GateProbe {
    let figures = [
      GateFigure("library/libheaplab.so/bytes", .percent(3), dependsOn: [.architecture, .build, .compiler]),
      GateFigure("library/libheaplab.so/exports", .exact, better: .neither, dependsOn: []),
    ]
    return GateProbe("library: libheaplab.so", figures) { workbench in
      let copy = "\(workbench.folder)/libheaplab-stripped.so"
      let original = try workbench.library
      let strip = try GateWorkbench.tool("strip", package: "binutils")
      _ = try await workbench.output(of: strip, ["--strip-all", "-o", copy, original])
      let names = try await workbench.output(
        of: GateWorkbench.tool("nm", package: "binutils"), ["--dynamic", "--defined-only", copy])
      return [Double(try workbench.byteCount(ofFile: copy)), Double(names.split(separator: "\n").count)]
    }
  }
}

extension GateWorkbench {
  /// The path of the preload as built.
  var library: String {
    get throws(GateObstacle) { try built("libheaplab.so", product: "heaplab") }
  }

  /// The path of the preload without debug information.
  var strippedLibrary: String {
    get async throws { try await stripped("libheaplab.so", product: "heaplab") }
  }
}
