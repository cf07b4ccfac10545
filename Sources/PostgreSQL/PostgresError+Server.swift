internal import CPostgres

extension PostgresError {
    /// The error that a result of the server's carries.
    init(result: OpaquePointer) {
        func field(_ code: Character) -> String? {
            PQresultErrorField(result, Int32(code.asciiValue!)).map { String(cString: $0) }
        }
        self.init(.server, field("M") ?? Self.oneLine(PQresultErrorMessage(result)), sqlState: field("C"))
        detail = field("D")
        hint = field("H")
        context = field("W")
        position = field("P").flatMap { Int($0) }
        schema = field("s")
        table = field("t")
        column = field("c")
        constraint = field("n")
    }

    /// The error of a connection that could not be made, from libpq's verbose text. It has no structure, so the SQLSTATE
    /// is found by its shape: `FATAL:  28P01: password authentication failed`. That no password was given libpq finds by
    /// itself, and has no SQLSTATE for it.
    init(connecting configuration: PostgresConfiguration, _ handle: OpaquePointer) {
        var words = Self.oneLine(PQerrorMessage(handle))
        var sqlState: String?
        if let match = words.firstMatch(of: #/:  ([0-9A-Z]{5}): /#) {
            sqlState = String(match.1)
            words.replaceSubrange(match.range, with: ": ")
        }
        let isPasswordWanted = PQconnectionNeedsPassword(handle) == 1 || sqlState == "28P01"
        if isPasswordWanted { words += "; the password belongs in \(configuration.passwordPlace)" }
        self.init(.connection, "cannot connect to \(configuration.endpoints): \(words)", sqlState: sqlState)
        if isPasswordWanted || !isTransient { code = .refused }
    }

    /// The error of a connection that was lost, with what the server said last, if anything.
    init(losing configuration: PostgresConfiguration, last: PostgresError?, _ text: UnsafePointer<CChar>?) {
        let words = last?.message ?? Self.oneLine(text)
        self.init(.connection, "lost the connection to \(configuration.endpoints): \(words)", sqlState: last?.sqlState)
    }

    /// libpq's text, which is for terminals, on one line and without the place in the server's source.
    static func oneLine(_ text: UnsafePointer<CChar>?) -> String {
        guard let text else { return "no reason was given" }
        return String(cString: text).split(separator: "\n").filter { !$0.hasPrefix("LOCATION:") }
            .map { line in line.drop { $0 == "\t" || $0 == " " } }
            .joined(separator: " ")
    }
}
