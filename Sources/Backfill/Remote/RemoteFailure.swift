public import SchemaChange

/// A chunk for which a worker gave no answer that can be used. Asked again, it is another call.
public struct RemoteFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// The worker rejected it.
        case rejected
        /// Its answer has another shape than the rows, or the database refuses a value.
        case answer
        /// It has not answered in time. That is no mistake, but has to be waited for.
        case overdue
    }

    public let kind: Kind
    public let table: TableName
    /// The first and the last key of the chunk.
    public let keys: String
    public let function: String
    public let target: String
    /// Of the promise.
    public let id: String
    public let message: String

    public var description: String {
        switch kind {
        case .rejected: "\(function) at \(target) rejected rows \(keys) of \(table): \(message) (promise \(id))"
        case .answer:
            "\(function) at \(target) answered wrongly for rows \(keys) of \(table): \(message) (promise \(id))"
        case .overdue: "no worker at \(target) has answered \(function) for rows \(keys) of \(table) (promise \(id))"
        }
    }
}
