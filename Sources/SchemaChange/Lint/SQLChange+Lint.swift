extension SQLChange {
    func lint(at path: String, _ setting: Lint.Setting) -> [Finding] {
        var findings: [Finding] = []
        let lists: [(field: String, statements: [String]?, phase: Stage)] = [
            ("expand", expand, .expand), ("rollback", rollback, .undoing), ("contract", contract, .contract),
            ("contractRollback", contractRollback, .undoing),
        ]
        var made: Set<String> = []
        for (field, statements, stage) in lists {
            findings += lint(statements ?? [], at: "\(path).\(field)", stage, &made)
        }
        if expand?.isEmpty == false, rollback == nil {
            findings.append(Finding(.missingRollback, at: path, "there is no way back below Expand"))
        }
        if contract?.isEmpty == false, contractRollback == nil {
            findings.append(Finding(.missingContractRollback, at: path, "there is no way back from Contract"))
        }
        return findings
    }

    private enum Stage {
        case expand, contract, undoing
    }

    /// Those of one phase, which run in one transaction.
    ///
    /// - Parameter made: the tables that the change itself has made by then: nobody else uses them yet.
    private func lint(
        _ statements: [String], at path: String, _ stage: Stage, _ made: inout Set<String>
    ) -> [Finding] {
        var findings: [Finding] = []
        var locked: [String] = []
        var unvalidated: Set<String> = []
        for (index, text) in statements.enumerated() {
            let place = "\(path)[\(index)]"
            let script = SQLScript(text)
            if let flaw = script.flaw { findings.append(Finding(.unreadableSQL, at: place, flaw)) }
            for tokens in script.statements {
                let statement = StatementLint(tokens)
                made.formUnion(statement.makes)
                for remark in statement.remarks {
                    if let table = remark.table, made.contains(table) { continue }
                    guard let severity = severity(of: remark.code, stage) else { continue }
                    findings.append(
                        Finding(remark.code, severity, at: place, remark.message, table: remark.table))
                }
                for name in statement.validates where unvalidated.contains(name) {
                    findings.append(
                        Finding(
                            .validatesTogether, stage == .undoing ? .warning : .error, at: place,
                            "\(name) is validated in the transaction that added it, under the lock of that",
                            table: name.table))
                }
                unvalidated.formUnion(statement.unvalidated)
                for name in statement.newNames.flatMap({ $0.split(separator: ".") })
                where name.utf8.count > Lint.longestName {
                    findings.append(.name(String(name), at: place))
                }
                for table in statement.locks where !made.contains(table) {
                    if !locked.contains(table) { locked.append(table) }
                    if !names(table), stage != .undoing {
                        findings.append(
                            Finding(.unnamedTable, at: place, "it locks \(table), which tables does not name"))
                    }
                }
            }
        }
        if locked.count > 1 {
            findings.append(
                Finding(
                    .locksSeveralTables, at: path,
                    "\(locked.joined(separator: ", ")) are locked in one transaction: each waits for all, and may deadlock"
                ))
        }
        return findings
    }

    /// Whether `tables` names it, with a schema or without.
    private func names(_ table: String) -> Bool {
        tables.contains { $0 == table || table.hasSuffix(".\($0)") }
    }

    /// At Contract the old version is gone. What undoing takes away is what it is for, and yet it may lock; nil is for what
    /// needs no word there.
    private func severity(of code: LintCode, _ stage: Stage) -> Finding.Severity? {
        let isLoss = [
            LintCode.dropsColumn, .dropsTable, .truncates, .renames, .dropsObject, .dropsNotNull, .dropsDefault,
            .dropsOwned, .revokes,
        ]
        .contains(code)
        switch stage {
        case .expand: return code.severity
        case .contract: return isLoss ? .warning : code.severity
        case .undoing:
            if isLoss { return nil }
            return code.isAcceptable ? max(code.severity, .warning) : code.severity
        }
    }
}

extension String {
    /// Of `schema.table.constraint`, the table.
    fileprivate var table: String {
        split(separator: ".").dropLast().joined(separator: ".")
    }
}
