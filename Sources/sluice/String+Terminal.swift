import Foundation

/// What others have chosen, such as an id, for a terminal: there, a control character could pass for our own words.
extension String {
    /// With control characters, line separators and turns of direction written as `\n` and `\u{1B}`.
    var printable: String {
        escaped { $0.escaped(asASCII: true) }
    }

    /// The same, with line feeds left as they are.
    var printableLines: String {
        escaped { $0 == "\n" ? "\n" : $0.escaped(asASCII: true) }
    }

    /// JSON that says the same, with those characters escaped in its strings. Line feeds between its values stay.
    var printableJSON: String {
        escaped { $0 == "\n" ? "\n" : "\\u" + String(repeating: "0", count: 4 - $0.hex.count) + $0.hex }
    }

    /// One word for a shell: bash, zsh and ksh know the form for control characters.
    var shellWord: String {
        guard unicodeScalars.contains(where: \.isControlling) else { return "'\(replacing("'", with: #"'\''"#))'" }
        return "$'\(utf8.map { String(format: #"\x%02x"#, $0) }.joined())'"
    }

    private func escaped(_ escape: (Unicode.Scalar) -> String) -> String {
        unicodeScalars.map { $0.isControlling ? escape($0) : String($0) }.joined()
    }
}

extension Unicode.Scalar {
    fileprivate var isControlling: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: properties.isBidiControl
        }
    }

    fileprivate var hex: String { String(value, radix: 16) }
}
