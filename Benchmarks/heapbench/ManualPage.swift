import Foundation

/// A manual page in the man(7) format, made of what heapbench's help says about a command.
struct ManualPage {
  private let page: HelpTree.Command
  private let root: HelpTree.Command
  private let version: String

  /// The page of heapbench itself, or of a command; nil when no command has this name.
  init?(_ command: String?, of tree: HelpTree, version: String) {
    root = tree.command
    self.version = version
    guard let command else {
      page = root
      return
    }
    guard let found = root.shownCommands.first(where: { $0.commandName == command }) else { return nil }
    page = found
  }

  private var isRoot: Bool { page == root }
  private var name: String { isRoot ? root.commandName : "\(root.commandName)-\(page.commandName)" }

  /// The page. It has no date, so that equal helps give equal bytes.
  var text: String {
    var lines = [".TH \(name.uppercased()) 1 \"\" \"\(version)\" \"User Commands\"", ".SH NAME"]
    lines += ["\(name) \\- \(Self.escaped(page.abstractWithoutPeriod))", ".SH SYNOPSIS"]
    lines += isRoot ? [".B \(root.commandName)", "[\\fIcommand\\fR] [\\fIoption\\fR ...]"] : [synopsis]
    lines += [".SH DESCRIPTION"] + Self.paragraphs(page.discussion ?? page.abstract ?? "")
    if isRoot {
      lines.append(".SH COMMANDS")
      for command in root.shownCommands {
        let isDefault = command.commandName == root.defaultSubcommand
        lines += [".TP", ".B \(command.commandName)\(isDefault ? " (the default)" : "")"]
        lines.append(Self.escaped(command.abstract ?? ""))
      }
    }
    lines.append(".SH OPTIONS")
    for argument in page.shownArguments {
      lines += [".TP", argument.heading]
      lines.append(Self.escaped([argument.abstract, argument.defaultText].compactMap { $0 }.joined(separator: " ")))
    }
    lines += [".SH SEE ALSO", seeAlso]
    return lines.joined(separator: "\n") + "\n"
  }

  private var synopsis: String {
    let arguments = page.shownArguments.map { argument in
      argument.kind == "positional"
        ? "\\fI\(argument.valueName ?? "")\\fR" : "[\(argument.heading)]" + (argument.isRepeating ? " ..." : "")
    }
    return ".B \(root.commandName) \(page.commandName)\n" + arguments.joined(separator: "\n")
  }

  private var seeAlso: String {
    let others = isRoot ? root.shownCommands.map { "\(root.commandName)-\($0.commandName)" } : [root.commandName]
    return others.map { "\\fB\($0)\\fR(1)" }.joined(separator: ",\n")
  }

  /// The paragraphs of a discussion. A line in capitals heads a section, and indented lines stay as they are.
  private static func paragraphs(_ text: String) -> [String] {
    var lines: [String] = []
    var isVerbatim = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let wantsVerbatim = line.hasPrefix("  ")
      if wantsVerbatim != isVerbatim { lines.append(wantsVerbatim ? ".PP\n.nf" : ".fi") }
      isVerbatim = wantsVerbatim
      if line.isEmpty {
        lines.append(".PP")
      } else if line.allSatisfy({ $0.isUppercase || $0 == " " }) {
        lines.append(".SH \(line)")
      } else {
        lines.append(escaped(String(line)))
      }
    }
    return lines + (isVerbatim ? [".fi"] : [])
  }

  /// Text that the formatter takes as it is.
  static func escaped(_ text: String) -> String {
    let text = text.replacingOccurrences(of: "\\", with: "\\e").replacingOccurrences(of: "-", with: "\\-")
    return text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" + text : text
  }
}

extension HelpTree.Command {
  /// The abstract as the whatis database wants it.
  fileprivate var abstractWithoutPeriod: String {
    let abstract = abstract ?? ""
    return abstract.hasSuffix(".") ? String(abstract.dropLast()) : abstract
  }
}

extension HelpTree.Argument {
  /// The option with the name of its value.
  fileprivate var heading: String {
    guard kind != "positional" else { return "\\fI\(valueName ?? "")\\fR" }
    let names = names?.map { "\\fB\(ManualPage.escaped(($0.kind == "short" ? "-" : "--") + $0.name))\\fR" } ?? []
    return names.joined(separator: ", ") + (kind == "option" ? " \\fI\(valueName ?? "")\\fR" : "")
  }

  /// The default, as the help shows it.
  fileprivate var defaultText: String? { defaultValue.map { "(default: \($0))" } }
}
