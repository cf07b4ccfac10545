internal import DurablePromises
internal import Foundation

/// Values as the data of promises: base64 of JSON. Nothing at all is `null`.
enum Payload {
    private static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
        }
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }()

    private static let decoder: JSONDecoder = {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let text = try decoder.singleValueContainer().decode(String.self)
            let style = Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains("."))
            return try Date(text, strategy: style)
        }
        return decoder
    }()

    /// Throws `EncodingError` for what JSON cannot say.
    static func encode(_ value: some Encodable) throws -> PromiseValue {
        if value is Nothing { return PromiseValue() }
        return PromiseValue(data: try encoder.encode(value).base64EncodedString())
    }

    /// - Parameter what: what the value is, for the error.
    static func decode<Value: Decodable>(
        _ type: Value.Type,
        from value: PromiseValue,
        _ what: @autoclosure () -> String
    ) throws(DurableError) -> Value {
        guard let json = json(value) else {
            throw DurableError(.undecodable, "\(what()) is not base64")
        }
        do {
            return try decoder.decode(type, from: json)
        } catch {
            throw DurableError(.undecodable, "\(what()) is no \(type): \(Self.reason(error))")
        }
    }

    private static func json(_ value: PromiseValue) -> Data? {
        guard let data = value.data, !data.isEmpty else { return Data("null".utf8) }
        return Data(base64Encoded: data)
    }

    /// Where and what, without the value.
    private static func reason(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        func place(_ context: DecodingError.Context) -> String {
            let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
            return path.isEmpty ? "" : " at " + path.joined(separator: ".")
        }
        return switch error {
        case .typeMismatch(let type, let context): "expected \(type)\(place(context))"
        case .valueNotFound(let type, let context): "expected \(type), found null\(place(context))"
        case .keyNotFound(let key, let context): "\(key.stringValue) is missing\(place(context))"
        case .dataCorrupted(let context): "\(context.debugDescription)\(place(context))"
        @unknown default: "it has another shape"
        }
    }

    // MARK: Failures

    /// A failure on the wire. The mark tells an error from a value that happens to have a message.
    private struct Failure: Codable {
        var mark: String? = "error"
        var name: String?
        var message: String?

        enum CodingKeys: String, CodingKey {
            case mark = "__type"
            case name, message
        }
    }

    static func encode(_ failure: DurableFailure) -> PromiseValue {
        let wire = Failure(name: failure.name, message: failure.message)
        return (try? encode(wire)) ?? PromiseValue()
    }

    static func failure(_ value: PromiseValue) -> DurableFailure {
        let wire = json(value).flatMap { try? decoder.decode(Failure.self, from: $0) }
        return DurableFailure(name: wire?.name ?? "Error", message: wire?.message ?? "it failed, and did not say why")
    }
}
