/// Where names without a schema are looked up, in sessions of ours and in triggers: the migration's schema, then
/// `public`, where extensions live. PostgreSQL's own come first without being named, temporary ones last.
public enum SearchPath {
    /// As the value of the setting `search_path`.
    public static func of(_ schema: String) -> String {
        let schemas = schema == "public" ? [schema] : [schema, "public"]
        return (schemas.map(\.quotedIdentifier) + ["pg_temp"]).joined(separator: ", ")
    }
}
