internal import PostgreSQL

extension Error {
    /// Whether it is about what was asked or what is stored: the same of other records may succeed, and the same again will
    /// not. Else it is the way to the database.
    var isOfItsRecords: Bool {
        switch self {
        case let error as PostgresError: error.code == .server && error.sqlState != nil && !error.isTransient
        case let error as PromiseError: error.code == .incompatible
        case is CancellationError: false
        default: true
        }
    }
}
