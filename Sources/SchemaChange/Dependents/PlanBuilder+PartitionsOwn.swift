/// What one partition has of its own about what goes into the archive would go on refusing there what the new version writes, or
/// keep the archive from being dropped. It is neither released nor brought back, so it is refused.
extension PlanBuilder {
    func requireNothingOwn(about columns: [String], of table: TableDescription, at path: String) throws(PlanError) {
        func isAbout(_ others: [String]) -> Bool { others.contains(where: columns.contains) }
        let own =
            table.partitionObjects.filter { isAbout($0.columns) }.map(\.told)
            + table.partitionConstraints.filter { isAbout($0.constraint.columns) }.map(\.told)
        try refuse(
            own, of: table, at: path,
            "it would go into the archive with the column and be in force there; drop it, or have it in all partitions by "
                + "the table")
    }

    /// - Parameter staying: whether a table that is referred to is there after Contract.
    func requireNothingOwn(of table: TableDescription, staying: (TableName) -> Bool, at path: String) throws(PlanError)
    {
        let own =
            table.partitionObjects.filter { $0.kind == .referrer || $0.kind == .view }.map(\.told)
            + table.partitionConstraints.filter { $0.constraint.references.map(staying) == true }.map(\.told)
        try refuse(
            own, of: table, at: path, "it would be in force, or in the way, when the table is in the archive; drop it")
    }

    private func refuse(
        _ own: [(partition: TableName, what: String)], of table: TableDescription, at path: String, _ why: String
    ) throws(PlanError) {
        guard let partition = own.first?.partition else { return }
        let all = own.filter { $0.partition == partition }.map(\.what)
        throw PlanError(
            .dependents, at: path,
            "partition \(partition) of \(table.name) has something of its own, \(all.joined(separator: ", ")): \(why)")
    }
}

extension TableDescription.PartitionObject {
    fileprivate var told: (partition: TableName, what: String) { (partition, "\(kind.rawValue) \(name)") }
}

extension TableDescription.PartitionConstraint {
    fileprivate var told: (partition: TableName, what: String) {
        (partition, "constraint \(constraint.name)")
    }
}
