import MigrationEngine
import SchemaChange

/// A plan as a comment on a pull request.
enum PlanMarkdown {
    static func of(_ preview: PlanPreview, name: String) -> String {
        var lines = ["### Migration \(text(name))", ""]
        let counts = Finding.Severity.allCases.map { "\(preview.count(of: $0)) \($0.rawValue)" }
        lines += ["Plan `\(preview.planHash)`. Findings: \(counts.joined(separator: ", ")).", ""]
        if let phase = preview.inForce { lines += ["Pinned, and in force: it stands at \(phase.rawValue).", ""] }
        if !preview.findings.isEmpty {
            lines += ["| | where | what | the safe way |", "|---|---|---|---|"]
            for finding in preview.findings {
                lines.append(
                    "| \(finding.severity.rawValue) `\(finding.code)` | \(code(finding.path)) | \(text(finding.message)) | \(text(finding.remedy ?? "")) |"
                )
            }
            lines.append("")
        }
        for estimate in preview.estimates { lines.append("* \(text(PlanWords.estimate(estimate)))") }
        if !preview.estimates.isEmpty { lines.append("") }
        let phases =
            preview.phases.map { ($0.phase.rawValue, $0.steps) }
            + (preview.purge.isEmpty ? [] : [("Once `contract.keepFor` is over", preview.purge)])
        for (title, steps) in phases {
            lines += ["#### \(title)", "", "| step | lock | work | undo |", "|---|---|---|---|"]
            for step in steps {
                lines.append(
                    "| \(text(step.title)) | \(text(PlanWords.lock(step) ?? "")) | \(PlanWords.work(step)) | \(PlanWords.undo(step)) |"
                )
            }
            let statements = steps.flatMap {
                $0.isForTheWayBack ? ["-- on the way back: \($0.title)"] + $0.undoStatements : $0.statements
            }
            if !statements.isEmpty {
                lines += ["", "<details><summary>Statements</summary>", ""]
                lines += fenced(statements.joined(separator: ";\n"))
                lines += ["", "</details>"]
            }
            lines.append("")
        }
        return lines.joined(separator: "\n")
    }

    /// What others wrote, in a cell of a table: neither markup nor a mention of anybody.
    private static func text(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "|", "*", "_", "`", "[", "]", "<", ">", "\\", "#", "~": escaped += "\\\(character)"
            case "@": escaped += "&#64;"
            case _ where character.isNewline: escaped += " "
            default: escaped.append(character)
            }
        }
        return escaped
    }

    private static func code(_ text: String) -> String {
        "`\(text.replacing("`", with: "'").replacing("|", with: "\\|"))`"
    }

    /// With more backticks than stand in it one after the other.
    private static func fenced(_ text: String) -> [String] {
        var longest = 2
        var run = 0
        for character in text {
            run = character == "`" ? run + 1 : 0
            longest = max(longest, run)
        }
        let fence = String(repeating: "`", count: longest + 1)
        return ["\(fence)sql", text, fence]
    }
}
