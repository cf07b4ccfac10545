internal import DurablePromises
internal import Foundation

extension PromiseValue {
    /// What whoever settled a promise said about it, as far as it goes into a line: text as it was typed, or base64 of JSON,
    /// as SDKs write a text or an error. Nil when they said nothing.
    var statedReason: String? {
        struct Failure: Decodable {
            let message: String
        }
        guard let data else { return nil }
        let json = Data(base64Encoded: data) ?? Data()
        let decoder = JSONDecoder()
        let said =
            (try? decoder.decode(Failure.self, from: json))?.message ?? (try? decoder.decode(String.self, from: json))
            ?? data
        let line = Self.line(said)
        return line.isEmpty ? nil : line
    }

    /// Of one line, of at most 200 characters of Unicode, none of which moves the cursor or the direction of writing.
    private static func line(_ text: String) -> String {
        let longest = 200
        var line = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(longest) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: line.append(" ")
            default: line.append(scalar)
            }
        }
        let trimmed = String(line).trimmingCharacters(in: .whitespaces)
        return text.unicodeScalars.count > longest ? trimmed + "…" : trimmed
    }
}
