import Foundation

// Real programs of different kinds, each of which runs for about half a second. The system's own in /usr/bin come
// before others on PATH. A line names each program that is not installed.

/// A real program that runs under each allocator.
struct ComparedProgram: Sendable {
  let name: String
  /// The command to look for.
  let command: String
  /// Its arguments; `FOLDER` stands for a folder of its own.
  let arguments: [String]
  var environment: [String: String] = [:]
  /// The files that it reads, by name.
  var files: [String: String] = [:]
  /// Shell commands that create its input, run in its folder.
  var preparation: String?

  static let all: [ComparedProgram] = [
    ComparedProgram(
      name: "g++", command: "g++", arguments: ["-std=c++17", "-O1", "-S", "-o", "/dev/null", "FOLDER/program.cpp"],
      files: ["program.cpp": cppProgram]),
    ComparedProgram(name: "perl", command: "perl", arguments: ["-e", perlProgram]),
    ComparedProgram(
      name: "python3", command: "python3", arguments: ["-c", pythonProgram], environment: ["PYTHONMALLOC": "malloc"]),
    ComparedProgram(name: "sqlite3", command: "sqlite3", arguments: [":memory:", sqlProgram]),
    ComparedProgram(name: "lua", command: "lua5.4", arguments: ["-e", luaProgram]),
    ComparedProgram(
      name: "git repack", command: "git",
      arguments: ["-C", "FOLDER/repository", "-c", "pack.threads=2", "repack", "-a", "-d", "-f", "-q"],
      preparation: gitPreparation),
    ComparedProgram(name: "node", command: "node", arguments: ["-e", nodeProgram]),
  ]

  /// The command's path; nil when it is not installed.
  func path(environment: [String: String] = ProcessInfo.processInfo.environment) -> String? {
    let folders = ["/usr/bin"] + (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    return folders.map { "\($0)/\(command)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// Creates the program's input in `folder`.
  func prepare(in folder: String) throws {
    for (name, text) in files { try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)")) }
    guard let preparation else { return }
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-ec", preparation]
    process.currentDirectoryURL = URL(filePath: folder)
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw MeasurementFailure("cannot prepare what '\(name)' reads") }
  }

  /// The driver's command for this program.
  func command(path: String, folder: String) -> DriverCommand {
    let words = [path] + arguments.map { $0.replacingOccurrences(of: "FOLDER", with: folder) }
    return DriverCommand(arguments: ["time"] + words, environment: environment, isProgram: true)
  }

  /// Containers of many types, which instantiate many templates.
  private static let cppProgram: String = {
    var text = """
      #include <algorithm>
      #include <map>
      #include <string>
      #include <vector>

      template <int N> struct Key { int value[N + 1]; bool operator<(const Key &other) const { return value[0] < other.value[0]; } };

      """
    for index in 0..<5 {
      text += """
        int work\(index)(int n) {
          std::map<Key<\(index)>, std::vector<std::string>> table;
          for (int i = 0; i < n; ++i) table[Key<\(index)>{{i}}].push_back(std::to_string(i));
          std::vector<std::pair<Key<\(index)>, int>> list;
          for (auto &entry : table) list.emplace_back(entry.first, int(entry.second.size()));
          std::sort(list.begin(), list.end());
          return int(list.size());
        }

        """
    }
    return text
  }()

  private static let perlProgram = """
    my %words; my $seed = 1;
    for my $i (1..250000) { $seed = ($seed * 1103515245 + 12345) % 2147483648; $words{"key" . $seed % 90000} .= "v$i,"; }
    my @sorted = sort { length($words{$a}) <=> length($words{$b}) || $a cmp $b } keys %words;
    my $text = join ";", map { "$_=" . substr($words{$_}, 0, 20) } @sorted;
    my @parts = split /;/, $text; print scalar(@parts), "\\n";
    """

  private static let pythonProgram = """
    import json
    rows = [{"id": i, "name": "row %d" % i, "tags": [str(i * k) for k in range(5)], "score": i * 0.5} for i in range(20000)]
    for _ in range(3):
        rows = json.loads(json.dumps(rows))
    index = {}
    for row in rows:
        for tag in row["tags"]:
            index.setdefault(tag, []).append(row["id"])
    print(len(index))
    """

  private static let sqlProgram = """
    create table orders(id integer primary key, customer text, item text, price real);
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 120000)
    insert into orders select i, 'customer ' || (i * 7919 % 5000), 'item ' || (i * 31 % 997), i % 100 * 1.5 from n;
    create index by_customer on orders(customer, item);
    select count(*), sum(total) from (select customer, sum(price) as total from orders group by customer having total > 10);
    select count(*) from orders a join orders b on a.customer = b.customer and a.item = b.item where a.id < 20000;
    update orders set price = price + 1 where id % 3 = 0;
    delete from orders where id % 5 = 0;
    """

  private static let luaProgram = """
    local tree
    function tree(depth) if depth == 0 then return {} end return {tree(depth - 1), tree(depth - 1)} end
    local keep = tree(15)
    for round = 1, 12 do tree(13) end
    local words = {}
    for i = 1, 200000 do words[#words + 1] = "word " .. i end
    print(#table.concat(words, ","))
    """

  private static let nodeProgram = """
    const rows = [];
    for (let i = 0; i < 60000; i++) rows.push({id: i, name: 'row ' + i, data: Buffer.alloc(100 + i % 900, i & 255)});
    const text = JSON.stringify(rows.map(r => ({id: r.id, name: r.name})));
    const zlib = require('zlib');
    let size = 0;
    for (let i = 0; i < 8; i++) size += zlib.gunzipSync(zlib.gzipSync(text)).length;
    console.log(size + JSON.parse(text).length);
    """

  /// Creates a repository of a few hundred commits, in git's own import format.
  private static let gitPreparation = """
    rm -rf repository && git init -q repository && cd repository
    awk 'BEGIN {
      for (c = 1; c <= 300; c++) {
        print "commit refs/heads/main\\ncommitter A <a@example.org> " 1000000000 + c " +0000\\ndata 1\\nc"
        for (f = 1; f <= 6; f++) {
          text = ""
          for (l = 1; l <= 150; l++) text = text "line " l " of file " f (l % 50 == c % 50 ? " at commit " c : "") "\\n"
          print "M 100644 inline file" (c * 7 + f) % 80 "\\ndata " length(text) "\\n" text
        }
      }
    }' | git fast-import --quiet
    """
}
