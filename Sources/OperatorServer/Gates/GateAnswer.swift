internal import KubernetesClient
internal import MigrationOperator
internal import SchemaChange

/// What `GET /gates/{namespace}/{name}` says of a Migration's gate. No secret is in it: it is a part of the status.
struct GateAnswer: Encodable, Hashable, Sendable {
    enum Gate: String, Encodable, Sendable {
        case open, closed
    }

    var gate: Gate
    /// The same as a boolean, for tools that compare no text.
    var verified: Bool
    var planHash: String?
    var phase: String?
    /// One word in CamelCase.
    var reason: String
    /// A sentence for people.
    var message: String

    /// - Parameter migration: as it was read just now; nil where there is none.
    init(_ migration: Migration?) {
        gate = .closed
        verified = false
        planHash = migration?.status?.planHash
        phase = migration?.status?.phase?.rawValue
        let condition = migration?.status?.condition(.gateOpen)
        switch RequiredMigration(migration) {
        case .open:
            gate = .open
            verified = true
            reason = condition?.reason ?? "Verified"
            message = condition?.message ?? "every row is proven"
        case .closed(let text, _):
            reason = condition?.reason ?? "NotVerified"
            message = text
        case .unsettled:
            reason = "Reconciling"
            message = "the operator has not looked at the present spec yet"
        case .refused(let text):
            reason = "Refused"
            message = text
        case .missing:
            reason = "NotFound"
            message = migration == nil ? "there is no such Migration" : "the Migration is being deleted"
        }
    }

    /// The gate when nobody can say: closed.
    init(reason: String, message: String) {
        gate = .closed
        verified = false
        self.reason = reason
        self.message = message
    }
}
