/// Statements of the user's own, for what no other kind can say. Those of one phase run in one transaction.
///
/// Undoing them is what the user says it is: without `rollback` there is no way back below Expand, without
/// `contractRollback` none from Contract.
public struct SQLChange: Codable, Hashable, Sendable, ChangeKind {
    /// The tables that the statements touch, for the queue.
    public var tables: [String]
    public var expand: [String]?
    public var rollback: [String]?
    public var contract: [String]?
    public var contractRollback: [String]?

    public init(
        tables: [String] = [],
        expand: [String]? = nil,
        rollback: [String]? = nil,
        contract: [String]? = nil,
        contractRollback: [String]? = nil
    ) {
        self.tables = tables
        self.expand = expand
        self.rollback = rollback
        self.contract = contract
        self.contractRollback = contractRollback
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        tables = try container.decodeIfPresent([String].self, forKey: .tables) ?? []
        expand = try container.decodeIfPresent([String].self, forKey: .expand)
        rollback = try container.decodeIfPresent([String].self, forKey: .rollback)
        contract = try container.decodeIfPresent([String].self, forKey: .contract)
        contractRollback = try container.decodeIfPresent([String].self, forKey: .contractRollback)
    }

    func flaws(at path: String) -> [PlanError] {
        let hasStatements = [expand, contract].contains { $0?.isEmpty == false }
        return hasStatements
            ? [] : [PlanError(.invalidChange, at: path, "it has no statements; give expand or contract")]
    }

    func plan(into builder: inout PlanBuilder, at path: String) throws(PlanError) {
        let table = try tables.first.map { name throws(PlanError) in try builder.catalog.table(name, at: path).name }
        if let expand, !expand.isEmpty {
            builder.add(
                .expand,
                "statements",
                "running the statements of expand",
                table: table,
                lock: nil,
                apply: expand,
                revert: rollback
            )
        }
        if let contract, !contract.isEmpty {
            builder.add(
                .contract,
                "statements",
                "running the statements of contract",
                table: table,
                lock: nil,
                apply: contract,
                revert: contractRollback
            )
        }
    }
}
