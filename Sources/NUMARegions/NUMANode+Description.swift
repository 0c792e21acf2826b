#if !hasFeature(Embedded)

  // How nodes read in messages. Strings allocate, so the Embedded build leaves this out.

  extension NUMANode: CustomStringConvertible {
    /// The node as `node 2`.
    public var description: String { "node \(rawValue)" }
  }

  extension NUMANodeSet: CustomStringConvertible {
    /// The set as `nodes 0, 2, 3`.
    public var description: String {
      var numbers: [String] = []
      forEach { numbers.append("\($0.rawValue)") }
      return numbers.isEmpty ? "no nodes" : "nodes " + numbers.joined(separator: ", ")
    }
  }

  extension NUMANodeSet: ExpressibleByArrayLiteral {
    /// The set of `nodes`.
    public init(arrayLiteral nodes: NUMANode...) {
      self.init()
      for node in nodes { insert(node) }
    }
  }

  extension NUMATopology: CustomStringConvertible {
    /// A line for each node: its memory, its processors and its distances.
    public var description: String {
      var lines: [String] = []
      nodes.forEach { node in
        var line = "\(node): "
        if let memory = try? memory(of: node) {
          line += "\(memory.totalByteCount >> 20) MiB, \(memory.freeByteCount >> 20) MiB free"
        }
        var cpus: [String] = []
        forEachCPU(of: node) { cpus.append("\($0)") }
        line += "; processors " + cpus.joined(separator: " ")
        var distances: [String] = []
        nodes.forEach { other in
          if let distance = try? distance(from: node, to: other) { distances.append("\(distance)") }
        }
        lines.append(line + "; distances " + distances.joined(separator: " "))
      }
      return lines.joined(separator: "\n")
    }
  }

  extension NUMAError: CustomStringConvertible {
    public var description: String {
      switch self {
      case .noSuchNode(let node):
        "the machine has no \(node) with memory that this process may use; its nodes are "
          + "those that `numactl --hardware` lists"
      case .noNodes: "a placement needs at least one node"
      case .notMoved(let part):
        "some memory of \(part) is in use and could not be moved to its nodes; place memory before its first use"
      case .forbidden:
        "this process may not place memory; in a container, allow the system calls mbind and move_pages, or give it "
          + "CAP_SYS_NICE"
      case .notSupported: "the system knows no NUMA nodes; run a kernel with CONFIG_NUMA"
      case .outOfMemory: "the nodes have no memory left; place less there, or prefer rather than bind"
      case .refused(let error): "the system refused: \(error)"
      }
    }
  }
#endif
