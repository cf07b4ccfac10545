/// The scalars of YAML 1.2's core schema: <https://yaml.org/spec/1.2.2/#103-core-schema>.
enum CoreSchema {
    static func resolve(
        _ text: String, isPlain: Bool, node: EventParser.Node
    ) throws(YAMLError) -> YAMLValue.Content {
        switch node.tag {
        case nil:
            return isPlain ? plain(text) : .string(text)
        case "!", "tag:yaml.org,2002:str":
            return .string(text)
        case "tag:yaml.org,2002:null", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:int":
            let value = plain(text)
            switch (node.tag, value) {
            case ("tag:yaml.org,2002:null", .null), ("tag:yaml.org,2002:bool", .bool),
                ("tag:yaml.org,2002:int", .int):
                return value
            default:
                throw YAMLError(.syntax, "the value is not what its tag says", mark: node.mark)
            }
        case "tag:yaml.org,2002:float":
            switch plain(text) {
            case .int(let value): return .double(Double(value))
            case .double(let value): return .double(value)
            default: throw YAMLError(.syntax, "the value is not what its tag says", mark: node.mark)
            }
        case let tag?:
            throw YAMLError(.syntax, "the tag \(tag) is not supported", mark: node.mark)
        }
    }

    /// What an unquoted, untagged scalar means.
    static func plain(_ text: String) -> YAMLValue.Content {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .double(.infinity)
        case "-.inf", "-.Inf", "-.INF": return .double(-.infinity)
        case ".nan", ".NaN", ".NAN": return .double(.nan)
        default: return number(text) ?? .string(text)
        }
    }

    private static func number(_ text: String) -> YAMLValue.Content? {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, isDigit(first) || "+-.".utf8.contains(first) else { return nil }
        if text.hasPrefix("0o") { return integer(text.dropFirst(2), radix: 8) }
        if text.hasPrefix("0x") { return integer(text.dropFirst(2), radix: 16) }
        var rest = bytes[...]
        if first == UInt8(ascii: "+") || first == UInt8(ascii: "-") { rest.removeFirst() }
        let whole = rest.prefix(while: isDigit)
        rest = rest.dropFirst(whole.count)
        if rest.isEmpty {
            guard !whole.isEmpty else { return nil }
            // Beyond 64 bits it is a number still, as it is in JSON.
            return Int64(text).map { .int($0) } ?? Double(text).map { .double($0) }
        }
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            let fraction = rest.prefix(while: isDigit)
            guard !whole.isEmpty || !fraction.isEmpty else { return nil }
            rest = rest.dropFirst(fraction.count)
        } else if whole.isEmpty {
            return nil
        }
        if let sign = rest.first, sign == UInt8(ascii: "e") || sign == UInt8(ascii: "E") {
            rest.removeFirst()
            if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { rest.removeFirst() }
            let exponent = rest.prefix(while: isDigit)
            guard !exponent.isEmpty else { return nil }
            rest = rest.dropFirst(exponent.count)
        }
        guard rest.isEmpty else { return nil }
        return Double(text).map { .double($0) } ?? Double("0" + text).map { .double($0) }
    }

    private static func integer(_ digits: Substring, radix: Int) -> YAMLValue.Content? {
        guard let first = digits.utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "+") else { return nil }
        return Int64(digits, radix: radix).map { .int($0) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }
}
