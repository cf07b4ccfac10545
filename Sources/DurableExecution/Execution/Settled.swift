internal import DurablePromises

/// A promise that is settled, as a result.
struct Settled {
    let record: PromiseRecord

    init(_ record: PromiseRecord) {
        self.record = record
    }

    /// What it was resolved with. Throws what it was rejected with.
    func value<Value: Decodable>(_ type: Value.Type) throws -> Value {
        switch record.state {
        case .resolved: return try Payload.decode(type, from: record.value, "the result of \(record.id)")
        case .rejected: throw Payload.failure(record.value)
        case .rejectedCanceled: throw DurableError(.canceled, "\(record.id) was cancelled")
        case .rejectedTimedout: throw DurableError(.timedOut, "\(record.id) was not settled before its deadline")
        case .pending: throw DurableError(.invalid, "\(record.id) is not settled")
        }
    }
}
