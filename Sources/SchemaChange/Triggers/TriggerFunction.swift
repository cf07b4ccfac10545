/// A PL/pgSQL trigger function with variables named like columns, and a pinned `search_path`.
struct TriggerFunction {
    /// Quoted, with its schema.
    let name: String
    /// Where the expressions' own functions are looked up, after PostgreSQL's.
    let schema: String
    let variables: [Column]
    /// What it does before it returns `NEW`.
    let body: String

    var create: String {
        let source = """
            #variable_conflict use_variable
            DECLARE
            \(variables.map { "    \($0.variable);" }.joined(separator: "\n"))
            BEGIN
            \(body)
            RETURN NEW;
            END
            """
        return """
            CREATE OR REPLACE FUNCTION \(name)() RETURNS trigger LANGUAGE plpgsql \
            SET search_path = \(SearchPath.of(schema)) AS \(source.quotedLiteral)
            """
    }
}
