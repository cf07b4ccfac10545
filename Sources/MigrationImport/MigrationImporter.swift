public import MigrationEngine
import SchemaChange
import YAML

/// Turns files of other tools into Migrations.
///
/// The files are a chain, in the order in which they are given: each is read on top of what those before it have made.
public struct MigrationImporter: Sendable {
    public enum Format: Sendable {
        /// A migration of pgroll, in YAML or JSON: <https://github.com/xataio/pgroll>.
        case pgroll
        /// Statements of SQL's data definition language.
        case sql
    }

    public struct File: Sendable {
        /// As it is named in messages; its last part gives the Migration its name.
        public var path: String
        public var text: String

        public init(path: String, text: String) {
            self.path = path
            self.text = text
        }
    }

    /// What is wrong with a file, where, and what to do.
    public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
        public var path: String
        /// From 1; nil where it is the file as a whole.
        public var line: Int?
        public var column: Int?
        /// The operation or statement, for a person.
        public var place: String?
        public var reason: String

        public var description: String {
            let position = line.map { ":\($0)" + (column.map { ":\($0)" } ?? "") } ?? ""
            return "\(path)\(position): " + (place.map { "\($0): " } ?? "") + reason
        }
    }

    /// All that is wrong with the first file that cannot be taken over.
    public struct Problems: Error, Hashable, Sendable {
        public var all: [Problem]

        init(all: [Problem]) {
            self.all = all
        }

        fileprivate init(_ path: String, _ reason: String) {
            all = [Problem(path: path, reason: reason)]
        }
    }

    public var format: Format
    /// Of the tables; names with another schema are refused.
    public var schema: String
    /// Where the Migrations are to be; nil leaves it out.
    public var namespace: String?
    /// What goes into `spec.database`.
    public var database: DatabaseReference?

    public init(
        format: Format, schema: String = "public", namespace: String? = nil, database: DatabaseReference? = nil
    ) {
        self.format = format
        self.schema = schema
        self.namespace = namespace
        self.database = database
    }

    /// One Migration for each file. Either all of them, or none.
    public func migrations(of files: [File]) throws(Problems) -> [ImportedMigration] {
        let names = try names(of: files)
        var conflicts = ChainConflicts()
        while true {
            let drafts = try drafts(of: files, conflicts)
            let before = conflicts
            conflicts.resolve(drafts.map(\.kept))
            guard conflicts == before else { continue }
            return zip(drafts, files).enumerated().map { index, entry in
                migration(
                    entry.0, of: entry.1, named: names[index], after: index > 0 ? names[index - 1] : nil,
                    archiveGoneFor: conflicts.withoutArchive[index].map { names[$0] })
            }
        }
    }

    private func names(of files: [File]) throws(Problems) -> [String] {
        var names: [String] = []
        for file in files {
            guard let name = Self.name(of: file.path) else {
                throw Problems(file.path, "no name can be made of it: a file's name has a letter or a digit")
            }
            if let other = names.firstIndex(of: name) {
                throw Problems(
                    file.path,
                    "its Migration would be called \(name), as that of \(files[other].path); rename one of the files")
            }
            names.append(name)
        }
        return names
    }

    private func drafts(of files: [File], _ conflicts: ChainConflicts) throws(Problems) -> [MigrationDraft] {
        var model = SchemaModel()
        var drafts: [MigrationDraft] = []
        for (index, file) in files.enumerated() {
            let draft = try read(file, on: MigrationDraft(model, inPlace: conflicts.inPlace[index] ?? []))
            if let flaw = PlanBuilder.flaws(in: draft.changes).first { throw Problems(file.path, "\(flaw)") }
            guard draft.changes.count <= Self.mostChanges else {
                throw Problems(
                    file.path,
                    "it makes \(draft.changes.count) changes, and a Migration has at most \(Self.mostChanges); split it"
                )
            }
            model = draft.model
            drafts.append(draft)
        }
        return drafts
    }

    private func migration(
        _ draft: MigrationDraft, of file: File, named name: String, after previous: String?,
        archiveGoneFor later: String?
    ) -> ImportedMigration {
        var notes = draft.notes
        var contract = ContractSettings(soak: SpecDuration(.zero), withoutRollouts: true)
        if let later {
            contract.keepFor = SpecDuration(.zero)
            notes.append(
                "keepFor is 0s, so there is no way back once this is contracted: \(later) changes the same column or table, "
                    + "and would otherwise wait until what this one keeps is gone, for 168h.")
        }
        var database = database
        if schema != "public" {
            database = database ?? DatabaseReference()
            database?.schema = schema
        }
        return ImportedMigration(
            name: name, source: file.path, notes: notes,
            spec: MigrationSpec(
                phase: .contract, dependsOn: previous.map { [$0] }, database: database, changes: draft.changes,
                contract: contract),
            namespace: namespace, format: format)
    }

    /// As the custom resource has it.
    private static let mostChanges = 64

    private func read(_ file: File, on draft: MigrationDraft) throws(Problems) -> MigrationDraft {
        switch format {
        case .pgroll: try readPgroll(file, on: draft)
        case .sql: try readSQL(file, on: draft)
        }
    }

    /// A DNS label made of the file's name; nil where nothing of it is left.
    static func name(of path: String) -> String? {
        let file = path.split(separator: "/").last ?? ""
        let stem = file.split(separator: ".", omittingEmptySubsequences: false).dropLast(file.contains(".") ? 1 : 0)
        let words = stem.joined(separator: "-").lowercasedASCII.split {
            !("a"..."z").contains($0) && !("0"..."9").contains($0)
        }
        var label = words.joined(separator: "-").prefix(63)
        while label.hasSuffix("-") { label.removeLast() }
        return label.isEmpty ? nil : String(label)
    }
}

// MARK: The formats

extension MigrationImporter {
    private func readSQL(_ file: File, on draft: MigrationDraft) throws(Problems) -> MigrationDraft {
        let source: SQLText
        do {
            source = try SQLText(file.text)
        } catch {
            throw Problems(all: [problem(error, in: file, nil)])
        }
        var reader = DDLReader(draft, schema: schema)
        var problems: [Problem] = []
        for (index, statement) in source.statements.enumerated() {
            let before = reader
            do {
                try reader.read(statement)
            } catch {
                reader = before
                problems.append(problem(error, in: file, (source, statement, index)))
            }
        }
        if problems.isEmpty, reader.draft.changes.isEmpty {
            problems = [Problem(path: file.path, reason: "it holds no statement that changes a schema")]
        }
        guard problems.isEmpty else { throw Problems(all: problems) }
        return reader.draft
    }

    private func problem(
        _ refusal: Refusal, in file: File, _ place: (source: SQLText, statement: SQLStatement, index: Int)?
    ) -> Problem {
        let offset = refusal.offset ?? place?.statement.offset ?? 0
        let position =
            (place?.source).map { $0.place(of: offset) } ?? SQLText.place(of: offset, in: Array(file.text.utf8))
        return Problem(
            path: file.path, line: position.line, column: position.column,
            place: place.map { "statement \($0.index + 1)" }, reason: refusal.reason)
    }

    private func readPgroll(_ file: File, on draft: MigrationDraft) throws(Problems) -> MigrationDraft {
        let operations: [(operation: PgrollOperation, mark: YAMLMark, key: String)]
        do {
            let document = try YAML.document(in: file.text)
            let decoded = try YAMLDecoder(unknownKeys: .refuse).decode(PgrollFile.self, from: document)
            let values = document["operations"]?.sequence ?? []
            operations = zip(decoded.operations, values).map { ($0, $1.mark, $1.mapping?.first?.key ?? "") }
        } catch {
            throw Problems(all: [
                Problem(
                    path: file.path, line: error.mark?.line, column: error.mark?.column,
                    place: error.path.isEmpty ? nil : error.path, reason: error.message)
            ])
        }
        var reader = PgrollReader(draft, schema: schema)
        var problems: [Problem] = []
        for (index, entry) in operations.enumerated() {
            let before = reader
            do {
                try reader.read(entry.operation)
            } catch {
                reader = before
                problems.append(
                    Problem(
                        path: file.path, line: entry.mark.line, column: entry.mark.column,
                        place: "operations[\(index)].\(entry.key)", reason: error.reason))
            }
        }
        if problems.isEmpty, reader.draft.changes.isEmpty {
            problems = [Problem(path: file.path, reason: "it holds no operations")]
        }
        guard problems.isEmpty else { throw Problems(all: problems) }
        return reader.draft
    }
}
