/// Which objects belong, by their labels.
public struct LabelSelector: Codable, Hashable, Sendable {
    public var matchLabels: [String: String]?
    public var matchExpressions: [Requirement]?

    public struct Requirement: Codable, Hashable, Sendable {
        public var key: String
        /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
        public var `operator`: String
        public var values: [String]?
    }

    /// Whether `labels` fit. An empty selector fits everything; an operator that is not known fits nothing.
    public func matches(_ labels: [String: String]) -> Bool {
        (matchLabels ?? [:]).allSatisfy { labels[$0.key] == $0.value }
            && (matchExpressions ?? []).allSatisfy { requirement in
                let value = labels[requirement.key]
                let values = requirement.values ?? []
                switch requirement.operator {
                case "In": return value.map(values.contains) ?? false
                case "NotIn": return value.map { !values.contains($0) } ?? true
                case "Exists": return value != nil
                case "DoesNotExist": return value == nil
                default: return false
                }
            }
    }

    /// As the `labelSelector` of a list is written.
    public var query: String {
        let equalities = (matchLabels ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let expressions = (matchExpressions ?? []).map { requirement in
            let values = (requirement.values ?? []).joined(separator: ",")
            return switch requirement.operator {
            case "In": "\(requirement.key) in (\(values))"
            case "NotIn": "\(requirement.key) notin (\(values))"
            case "DoesNotExist": "!\(requirement.key)"
            default: requirement.key
            }
        }
        return (equalities + expressions).joined(separator: ",")
    }
}
