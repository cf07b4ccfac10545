import ArgumentParser
import DurablePromises
import Foundation
import Logging
import PostgreSQL
import RemotePromises

/// Where the promises are: behind a server, or in a database.
struct PromiseClientOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "A promise server, such as http://127.0.0.1:8001; else $SLUICE_SERVER. Its token is $SLUICE_TOKEN.",
            discussion: "An option goes before the environment; of both in the environment the server is asked.",
            valueName: "url"
        )
    )
    var server: String?

    @OptionGroup var database: DatabaseOptions

    func validate() throws {
        try PasswordArgument.refuse(server, instead: "SLUICE_SERVER")
        if server != nil, database.databaseURL != nil {
            throw ValidationError("--server and --database-url are two places for one promise; give one of them")
        }
    }

    /// Lends a client to `body`. What it says of a promise is fit for a terminal.
    func withClient<Value>(_ body: (any PromiseClient) async throws -> Value) async throws -> Value {
        do {
            return try await withRawClient(body)
        } catch let error as PromiseError {
            throw PromiseError(error.code, error.message.printable)
        }
    }

    /// That there is no such promise, and where it was looked for.
    func missing(_ id: String) throws -> PromiseError {
        PromiseError(.notFound, "there is no promise \(id.printable) \(try place())")
    }

    private enum Place: CustomStringConvertible {
        case server(String)
        case database(PostgresConfiguration)

        /// Nothing of a password or a token, which stand before an `@` or in a query.
        var description: String {
            switch self {
            case .server(let url): "at the server \(URLComponents(string: url)?.hostAndPort ?? "that is named")"
            case .database(let configuration): "in the database \(configuration.identity)"
            }
        }
    }

    /// What an option says goes before the environment, and there the server before the database.
    private func place() throws -> Place {
        if let address = server ?? (database.databaseURL == nil ? EnvironmentSetting.text("SLUICE_SERVER") : nil) {
            guard address.hasPrefix("http://") || address.hasPrefix("https://") else {
                throw ValidationError(
                    "what --server or SLUICE_SERVER says is not a server's URL; one is http://127.0.0.1:8001")
            }
            return .server(address)
        }
        guard database.databaseURL != nil || EnvironmentSetting.text("SLUICE_DATABASE_URL") != nil else {
            throw ValidationError(
                "no promises: give --server or --database-url, or set SLUICE_SERVER or SLUICE_DATABASE_URL")
        }
        return .database(try database.configuration())
    }

    private func withRawClient<Value>(_ body: (any PromiseClient) async throws -> Value) async throws -> Value {
        let logger = Logger(label: "sluice") { _ in SwiftLogNoOpLogHandler() }
        switch try place() {
        case .server(let url):
            return try await body(
                HTTPPromiseClient(url: url, token: EnvironmentSetting.text("SLUICE_TOKEN"), logger: logger))
        case .database(let configuration): return try await withStore(configuration, logger, body)
        }
    }

    private func withStore<Value>(
        _ configuration: PostgresConfiguration, _ logger: Logger,
        _ body: (any PromiseClient) async throws -> Value
    ) async throws -> Value {
        var configuration = configuration
        configuration.answerTimeout = .seconds(30)
        let pool = PostgresPool(configuration, maximum: 2)
        let store = PromiseStore(pool: pool, settings: .init(lanes: 1), logger: logger)
        do {
            let value = try await body(store)
            store.close()
            await pool.close()
            return value
        } catch {
            store.close()
            await pool.close()
            // undefined_table, invalid_schema_name
            if let error = error as? PostgresError, ["42P01", "3F000"].contains(error.sqlState) {
                throw ValidationError(
                    "the database holds no promises yet; `sluice server` and `sluice run` make their tables")
            }
            throw error
        }
    }
}

extension URLComponents {
    fileprivate var hostAndPort: String? {
        host.map { $0 + (port.map { ":\($0)" } ?? "") }
    }
}

/// Text or JSON.
enum PromiseFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json
}

/// `name=value`, of a tag.
struct TagArgument: ExpressibleByArgument {
    let name: String
    let value: String

    init?(argument: String) {
        guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else { return nil }
        name = String(argument[..<equals])
        value = String(argument[argument.index(after: equals)...])
    }

    static func dictionary(_ tags: [TagArgument]) throws -> [String: String] {
        try Dictionary(tags.map { ($0.name, $0.value) }) { _, _ in throw ValidationError("a tag is given twice") }
    }
}

/// The data of a promise, which mean nothing to the server.
struct PromiseDataOptions: ParsableArguments {
    @Option(name: .long, help: "The data; - reads standard input.")
    var data: String?

    @Flag(name: .long, help: "Encode the data in base64, as the SDKs do with JSON.")
    var base64 = false

    func value() throws -> PromiseValue {
        guard let data else { return PromiseValue() }
        let bytes = data == "-" ? FileHandle.standardInput.readDataToEndOfFile() : Data(data.utf8)
        if base64 { return PromiseValue(data: bytes.base64EncodedString()) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ValidationError("standard input is not valid UTF-8; give --base64")
        }
        return PromiseValue(data: text)
    }
}
