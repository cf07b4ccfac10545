internal import MigrationEngine
internal import SchemaChange

extension MigrationSpec {
    /// Over all fields that a plan is made from, and none beside: two specs with the same ask for the same plan, as long as
    /// the Secret names the same database.
    var planSource: String {
        let secret = database?.urlFrom?.secretKeyRef
        return Plan.hash(
            changes: changes, writer: writer, views: views == true, schema: schema,
            database: "\(secret?.name ?? "")/\(secret?.key ?? "")")
    }
}
