import Foundation
import PostgreSQL
import TestSupport

/// A connection of a test's own to `url`, closed afterwards.
func withConnection<Value>(
    _ url: String,
    settings: [(String, String)] = [],
    _ body: (PostgresConnection) async throws -> Value
) async throws -> Value {
    let connection = try await PostgresConnection.connect(configuration(url, settings: settings))
    do {
        let value = try await body(connection)
        await connection.close()
        return value
    } catch {
        await connection.close()
        throw error
    }
}

/// A connection to a database of a test's own.
func withDatabaseConnection<Value>(_ body: (PostgresConnection) async throws -> Value) async throws -> Value {
    try await withTestDatabase { url in try await withConnection(url, body) }
}

func configuration(_ url: String, settings: [(String, String)] = []) throws -> PostgresConfiguration {
    var configuration = try PostgresConfiguration(url: url, origin: .operatorOwned, applicationName: "sluice/test")
    configuration.settings = settings
    return configuration
}

/// The error that `body` throws, which has to be one of PostgreSQL's.
func postgresError<Value>(_ body: () async throws -> Value) async throws -> PostgresError {
    do {
        _ = try await body()
    } catch let error as PostgresError {
        return error
    }
    throw TestFailure("there was no error")
}
