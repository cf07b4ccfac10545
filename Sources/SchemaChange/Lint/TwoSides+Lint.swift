/// What the expressions of a change with two sides lose, as far as their text tells.
struct ExpressionLint {
    let path: String
    let old: [String]
    let new: [String]
    let forward: [String: String]
    let backward: [String: String]
    var isByWorker = false

    /// Functions of many values to one.
    private static let lossy: Set<String> = [
        "left", "right", "substr", "substring", "split_part", "round", "trunc", "floor", "ceil", "ceiling", "lower",
        "upper", "initcap", "trim", "btrim", "ltrim", "rtrim", "date_trunc", "abs", "length", "md5", "hashtext",
    ]

    var findings: [Finding] {
        unnamed(new, in: backward, field: "backward", .backwardLoses) {
            "no expression of backward names \($0): what version 2 writes there never reaches the old columns"
        }
            + (isByWorker
                ? []
                : unnamed(old, in: forward, field: "forward", .forwardLoses) {
                    "no expression of forward names \($0): its value is not in the new columns, and cannot come back from them"
                }) + lossyCalls
    }

    private func unnamed(
        _ columns: [String], in expressions: [String: String], field: String, _ code: LintCode,
        _ message: (String) -> String
    ) -> [Finding] {
        guard !expressions.isEmpty else { return [] }
        let named = Set(expressions.values.flatMap { SQLScript($0).statements.joined().compactMap(\.identifier) })
        return columns.filter { !named.contains($0) && !named.contains($0.lowercased()) }
            .map { Finding(code, at: "\(path).\(field)", message($0)) }
    }

    private var lossyCalls: [Finding] {
        backward.sorted { $0.key < $1.key }.compactMap { column, expression in
            let tokens = Array(SQLScript(expression).statements.joined())
            let call = zip(tokens, tokens.dropFirst()).first { token, next in
                token.kind == .word && Self.lossy.contains(token.text) && next.isSign("(")
            }
            return call.map {
                Finding(
                    .backwardLoses, .info, at: "\(path).backward.\(column)",
                    "\($0.0.text)() gives one value for many, so the old version may see less than version 2 wrote",
                    remedy: "see that this is what is meant; sluice plan samples the rows that would change")
            }
        }
    }
}

extension ReplaceColumns {
    func lint(at path: String, _ setting: Lint.Setting) -> [Finding] {
        lintNewColumns(at: path)
            + ExpressionLint(
                path: path, old: from, new: to.map(\.name), forward: forward, backward: backward,
                isByWorker: forwardBy != nil
            ).findings
    }
}

extension AlterColumn {
    func lint(at path: String, _ setting: Lint.Setting) -> [Finding] {
        guard to != nil || type != nil || forward != nil || forwardBy != nil || backward != nil else { return [] }
        let new = to?.name ?? column
        let expressions = ExpressionLint(
            path: path, old: [column], new: [new], forward: forward.map { [new: $0] } ?? [:],
            backward: backward.map { [column: $0] } ?? [:], isByWorker: forwardBy != nil)
        var findings = lintNewColumns(at: path)
        for var finding in expressions.findings {
            // There is one of each, which stands in no list.
            finding.path = finding.path.replacing("backward.\(column)", with: "backward")
            findings.append(finding)
        }
        if to == nil, !setting.isWithoutRollouts, !setting.hasViews {
            findings.append(
                Finding(
                    .sameNameUnseen, at: path,
                    "the gate opens at Backfill, and until Contract \(column) is the old column for every version"))
        }
        return findings
    }
}

extension RenameColumn {
    func lint(at path: String, _ setting: Lint.Setting) -> [Finding] {
        to.utf8.count > Lint.longestName ? [.name(to, at: "\(path).to")] : []
    }
}

extension CreateTable {
    func lint(at path: String, _ setting: Lint.Setting) -> [Finding] {
        columns.enumerated().flatMap { index, column in
            TypeLint.remarks(
                column: column.name, type: column.type, isKey: primaryKey?.contains(column.name) == true
            ).map { Finding($0.code, at: "\(path).columns[\(index)].type", $0.message) }
        }
    }
}
