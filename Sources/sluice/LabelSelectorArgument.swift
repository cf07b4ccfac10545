import ArgumentParser
import KubernetesClient

/// A label selector of Kubernetes, as JSON: `{"matchLabels": {"team": "data"}}`.
struct LabelSelectorArgument: ExpressibleByArgument {
    /// What it asks for, with `matchLabels` written as expressions.
    let expressions: [JSONValue]

    init?(argument: String) {
        guard let selector = try? JSONValue(parsing: argument), let members = selector.object,
            members.keys.allSatisfy({ ["matchLabels", "matchExpressions"].contains($0) })
        else { return nil }
        var expressions: [JSONValue] = []
        for (key, value) in (members["matchLabels"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard value.string != nil else { return nil }
            expressions.append(["key": .string(key), "operator": "In", "values": [value]])
        }
        for expression in members["matchExpressions"]?.array ?? [] {
            guard expression["key"]?.string != nil,
                ["In", "NotIn", "Exists", "DoesNotExist"].contains(expression["operator"]?.string)
            else { return nil }
            expressions.append(expression)
        }
        self.expressions = expressions
    }
}
