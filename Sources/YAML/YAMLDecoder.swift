/// Reads `Decodable` types from YAML or JSON.
///
/// Every error names the path of the value, and its line and column.
public struct YAMLDecoder: Sendable {
    /// What happens with keys that the type did not read.
    public enum UnknownKeys: Sendable {
        case ignore
        /// They are an error that names the first of them.
        case refuse
    }

    public var unknownKeys: UnknownKeys

    public init(unknownKeys: UnknownKeys = .ignore) {
        self.unknownKeys = unknownKeys
    }

    /// Decodes the only document of `text`.
    public func decode<Value: Decodable>(_ type: Value.Type, from text: String) throws(YAMLError) -> Value {
        try decode(type, from: YAML.document(in: text))
    }

    public func decode<Value: Decodable>(_ type: Value.Type, from value: YAMLValue) throws(YAMLError) -> Value {
        let log = ReadLog()
        let result: Value
        do {
            result = try ValueDecoder(value: value, codingPath: [], log: log).unwrap(type)
        } catch let error as YAMLError {
            throw error
        } catch let error as DecodingError {
            throw YAMLError(error, in: value)
        } catch {
            throw YAMLError(.badValue, "\(error)", mark: value.mark)
        }
        if unknownKeys == .refuse, let (path, entry, known) = log.firstUnread() {
            let hint = known.isEmpty ? "" : "; known here: \(known.sorted().joined(separator: ", "))"
            throw YAMLError(.unknownKey, "the key \(entry.key) is not known\(hint)", path: path, mark: entry.mark)
        }
        return result
    }
}

/// Which keys were asked for, of each mapping that was read by key.
final class ReadLog {
    private var mappings: [(path: String, mapping: YAMLMapping)] = []
    private var asked: [String: Set<String>] = [:]

    func opened(_ mapping: YAMLMapping, at path: String) {
        if asked[path] == nil {
            asked[path] = []
            mappings.append((path, mapping))
        }
    }

    func read(_ key: String, at path: String) {
        asked[path, default: []].insert(key)
    }

    func firstUnread() -> (path: String, entry: YAMLMapping.Entry, known: Set<String>)? {
        for (path, mapping) in mappings {
            let known = asked[path] ?? []
            if let entry = mapping.first(where: { !known.contains($0.key) }) { return (path, entry, known) }
        }
        return nil
    }
}

extension YAMLError {
    /// An error that a type threw itself, with the place of what it was reading.
    init(_ error: DecodingError, in root: YAMLValue) {
        let (code, context): (Code, DecodingError.Context) =
            switch error {
            case .typeMismatch(_, let context): (.wrongType, context)
            case .valueNotFound(_, let context): (.wrongType, context)
            case .keyNotFound(_, let context): (.missingKey, context)
            case .dataCorrupted(let context): (.badValue, context)
            @unknown default: (.badValue, .init(codingPath: [], debugDescription: "\(error)"))
            }
        var value = root
        for key in context.codingPath {
            if let index = key.intValue, let list = value.sequence, list.indices.contains(index) {
                value = list[index]
            } else if let next = value[key.stringValue] {
                value = next
            }
        }
        self.init(code, context.debugDescription, path: context.codingPath.yamlPath, mark: value.mark)
    }
}

extension [any CodingKey] {
    /// `spec.changes[0].addColumn`.
    var yamlPath: String {
        reduce(into: "") { path, key in
            if let index = key.intValue {
                path += "[\(index)]"
            } else {
                path += path.isEmpty ? key.stringValue : ".\(key.stringValue)"
            }
        }
    }
}
