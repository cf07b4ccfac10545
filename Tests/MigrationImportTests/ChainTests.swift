import MigrationEngine
import MigrationImport
import SchemaChange
import Testing
import YAML

/// Files that build on each other, and what becomes of them.
@Suite("import of a chain")
struct ChainTests {
    @Test("what a file says depends on what those before it have made")
    func model() throws {
        let migrations = try Imported.migrations(
            .sql,
            [
                "CREATE TABLE a (id int PRIMARY KEY, b text UNIQUE); CREATE INDEX i ON a (b)",
                "ALTER TABLE a RENAME TO c", "ALTER TABLE c RENAME b TO d",
                "ALTER TABLE c DROP CONSTRAINT a_b_key; DROP INDEX i; ALTER TABLE c RENAME COLUMN id TO key",
            ])
        #expect(
            migrations[3].spec.changes
                == (try changes(
                    """
                    - dropConstraint: {table: c, name: a_b_key}
                    - dropIndex: {table: c, name: i}
                    - renameColumn: {table: c, column: id, to: key}
                    """)))
        #expect(migrations.map(\.spec.dependsOn) == [nil, ["01"], ["02"], ["03"]])
        #expect(try Imported.problems(.sql, ["CREATE TABLE a (b int)", "CREATE TABLE a (b int)"]).count == 1)
    }

    private static let table =
        "operations: [{create_table: {name: t, columns: [{name: id, type: int, pk: true}, {name: c, type: text}]}}]"

    private static func alter(_ fields: String) -> String {
        "operations: [{alter_column: {table: t, column: c, \(fields)}}]"
    }

    private static let check = alter("check: {name: k, constraint: length(c) > 1}, up: \"c || 'x'\", down: c")
    private static let nullable = alter("nullable: true, up: c, down: \"coalesce(c, 'x')\"")
    private static let retyped = alter("type: varchar(9), up: c, down: c")

    private static func isCopy(_ migration: ImportedMigration) -> Bool {
        guard case .alterColumn(let change) = migration.spec.changes[0] else { return false }
        return change.forward != nil || change.type != nil
    }

    /// Two archives of one column cannot be: the engine lets the second Migration wait until the first has none.
    @Test("of two that take the place of one column, one is done in place")
    func sameColumn() throws {
        #expect(Self.isCopy(try Imported.last(.pgroll, [Self.table, Self.check])))
        let two = try Imported.migrations(.pgroll, [Self.table, Self.check, Self.nullable])
        #expect(two[1].spec.changes == (try changes("- addConstraint: {table: t, name: k, check: length(c) > 1}")))
        #expect(two[1].notes.first?.contains("another of the files given") == true)
        #expect(Self.isCopy(two[2]))
        #expect(two.allSatisfy { $0.spec.contract?.keepFor == nil })
        // A new type has to be another column: then it is the other one.
        let retyped = try Imported.migrations(.pgroll, [Self.table, Self.retyped, Self.nullable])
        #expect(Self.isCopy(retyped[1]))
        #expect(retyped[2].spec.changes == (try changes("- alterColumn: {table: t, column: c, nullable: true}")))
    }

    @Test("where neither can be, the first keeps no archive, and says so")
    func withoutArchive() throws {
        let drop = "operations: [{drop_table: {name: t}}]"
        for files in [[Self.table, Self.retyped, Self.retyped], [Self.table, Self.retyped, drop]] {
            let migrations = try Imported.migrations(.pgroll, files)
            #expect(migrations[1].spec.contract?.keepFor == SpecDuration(.zero))
            #expect(migrations[1].notes.contains { $0.contains("no way back") && $0.contains("03") })
            #expect(migrations[2].spec.contract?.keepFor == nil)
        }
        let made = try Imported.migrations(.pgroll, [Self.table, drop, Self.table])
        #expect(made[1].spec.contract?.keepFor == SpecDuration(.zero))
        let inPlace = try Imported.migrations(.pgroll, [Self.table, Self.check, drop])
        #expect(!Self.isCopy(inPlace[1]))
        #expect(inPlace[1].spec.contract?.keepFor == nil)
    }

    @Test("a manifest is read as it was meant, and its notes cannot become part of it")
    func manifest() throws {
        let migration = try Imported.last(.sql, ["ALTER TABLE a ALTER b TYPE text USING 'x\n# kind: y\nspec: {}' || b"])
        let text = try migration.manifest()
        let document = try YAML.document(in: text)
        let spec = try #require(document["spec"])
        #expect(try YAMLDecoder(unknownKeys: .refuse).decode(MigrationSpec.self, from: spec) == migration.spec)
        #expect(document["kind"]?.string == "Migration")
        #expect(document["metadata"]?["name"]?.string == "01")
        let comment = text.split(separator: "\n").prefix { $0.hasPrefix("#") }
        #expect(comment.contains { $0.contains("NOTE") })
        #expect(comment.allSatisfy { $0.count <= 122 }, "\(comment)")
        #expect(migration.spec.phase == .contract)
        #expect(migration.spec.contract == ContractSettings(soak: SpecDuration(.zero), withoutRollouts: true))
    }

    @Test("a schema, a namespace and a Secret go into it")
    func settings() throws {
        let importer = MigrationImporter(
            format: .sql, schema: "shop", namespace: "prod",
            database: DatabaseReference(urlFrom: .init(secretKeyRef: .init(name: "db", key: "url"))))
        let migration = try #require(
            try importer.migrations(of: [.init(path: "a.sql", text: "DROP TABLE shop.t")]).first)
        #expect(migration.spec.database?.schema == "shop")
        #expect(migration.spec.database?.urlFrom?.secretKeyRef.name == "db")
        #expect(try migration.manifest().contains("metadata: {name: a, namespace: prod}"))
        #expect(throws: MigrationImporter.Problems.self) {
            try importer.migrations(of: [.init(path: "a.sql", text: "DROP TABLE public.t")])
        }
    }

    @Test("two files of one name are refused, and so are more changes than a Migration has")
    func bounds() throws {
        let importer = MigrationImporter(format: .sql)
        let files = ["a/x.sql", "b/X.sql"].map { MigrationImporter.File(path: $0, text: "DROP TABLE t") }
        #expect(throws: MigrationImporter.Problems.self) { try importer.migrations(of: files) }
        let many = (0..<65).map { "CREATE TABLE t\($0) (id int);" }.joined()
        #expect(try Imported.problems(.sql, [many]).first?.reason.contains("at most 64") == true)
    }
}
