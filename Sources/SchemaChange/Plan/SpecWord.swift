/// A word of a spec that is one of a few: what is read and is none of them is told with all that may stand there.
public protocol SpecWord: RawRepresentable<String>, CaseIterable, Codable {}

extension SpecWord {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let word = try container.decode(String.self)
        guard let value = Self(rawValue: word) else {
            let known = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\"\(word)\" is none of \(known); give one of these")
        }
        self = value
    }
}
