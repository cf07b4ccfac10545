extension NewConstraint.ForeignKey {
    func meaning(referringTo columns: [String], of table: TableName) -> ForeignKeyMeaning {
        ForeignKeyMeaning(
            columns: self.columns, referred: table,
            terms: .init(
                columns: columns, onDelete: (references.onDelete ?? .noAction).letter,
                onUpdate: (references.onUpdate ?? .noAction).letter),
            isDeferrable: references.deferrable != nil, isDeferred: references.deferrable == .deferred)
    }

    /// Asks whether the columns fit: on copies, since PostgreSQL lets no temporary table refer to another kind.
    ///
    /// - Parameter setUp: makes the copy of the table whose foreign key it is.
    func trial(of table: String, setUp: [String], at path: String, in catalog: Catalog) throws(PlanError) -> Trial {
        let isOwn = references.table == table
        let referred = isOwn ? Trial.scratch : Trial.scratchOfReferred
        let copy = isOwn ? [] : try catalog.copy(references.table, as: referred, at: path)
        let clause = NewConstraint(foreignKey: self).clause(referred: referred)
        return Trial(
            path: path,
            setUp: setUp + copy,
            statement: "ALTER TABLE \(Trial.scratch) ADD \(clause)"
        )
    }
}
