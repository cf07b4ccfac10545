/// One aspect of an object's state, as `kubectl wait --for=condition=…` reads it.
public struct Condition: Codable, Hashable, Sendable {
    public enum Status: String, Codable, Hashable, Sendable {
        case yes = "True"
        case no = "False"
        case unknown = "Unknown"
    }

    public var type: String
    public var status: Status
    /// One word in CamelCase, for programs.
    public var reason: String?
    /// A sentence, for people.
    public var message: String?
    /// When `status` last changed.
    public var lastTransitionTime: Timestamp?
    /// The generation of the spec that this was found for.
    public var observedGeneration: Int64?

    public init(
        type: String, status: Status, reason: String? = nil, message: String? = nil,
        lastTransitionTime: Timestamp? = nil, observedGeneration: Int64? = nil
    ) {
        self.type = type
        self.status = status
        self.reason = reason
        self.message = message
        self.lastTransitionTime = lastTransitionTime
        self.observedGeneration = observedGeneration
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func text(_ key: CodingKeys) throws -> String? {
            try container.decodeIfPresent(String.self, forKey: key).map { TextPool.shared.copy(of: $0) }
        }
        type = try TextPool.shared.copy(of: container.decode(String.self, forKey: .type))
        status = try container.decode(Status.self, forKey: .status)
        reason = try text(.reason)
        message = try text(.message)
        lastTransitionTime = try container.decodeIfPresent(Timestamp.self, forKey: .lastTransitionTime)
        observedGeneration = try container.decodeIfPresent(Int64.self, forKey: .observedGeneration)
    }
}
