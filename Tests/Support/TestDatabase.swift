import Foundation

/// Gives the body a fresh, empty database on the shared PostgreSQL, as a superuser's URL, and drops it afterwards with
/// whatever sessions are left in it.
public func withTestDatabase<Value>(_ body: (_ url: String) async throws -> Value) async throws -> Value {
    let server = try TestServers.databaseURL
    return try await withTestDatabase(on: server, body)
}

/// The same on a server of one's own, such as ``PrivatePostgres``.
public func withTestDatabase<Value>(
    on server: String, _ body: (_ url: String) async throws -> Value
) async throws -> Value {
    let name = uniqueName("test")
    guard var url = URLComponents(string: server) else {
        throw TestFailure("not the URL of a database: \(server)")
    }
    url.path = "/" + name
    guard let database = url.string else {
        throw TestFailure("no URL for database \(name) on \(server)")
    }
    try await Psql.run("CREATE DATABASE \"\(name)\"", on: server)
    return try await with {
        try await body(database)
    } cleanUp: {
        try await Psql.run("DROP DATABASE IF EXISTS \"\(name)\" WITH (FORCE)", on: server)
    }
}
