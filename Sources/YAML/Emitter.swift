internal import CYAML

/// libyaml's emitter: a tree of values to text.
final class Emitter {
    /// What libyaml has written so far; it is handed a pointer to this.
    private final class Output {
        var bytes: [UInt8] = []
    }

    private let emitter: UnsafeMutablePointer<yaml_emitter_t>
    private let output = Output()

    init() throws(YAMLError) {
        emitter = .allocate(capacity: 1)
        guard yaml_emitter_initialize(emitter) == 1 else {
            emitter.deallocate()
            throw YAMLError(.tooLarge, "out of memory while writing YAML")
        }
        yaml_emitter_set_unicode(emitter, 1)
        // Never folds a line: an expression stays as it was written.
        yaml_emitter_set_width(emitter, -1)
        yaml_emitter_set_output(
            emitter,
            { data, bytes, count in
                guard let data, let bytes else { return 0 }
                let output = Unmanaged<Output>.fromOpaque(data).takeUnretainedValue()
                output.bytes.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
                return 1
            }, Unmanaged.passUnretained(output).toOpaque())
    }

    deinit {
        yaml_emitter_delete(emitter)
        emitter.deallocate()
    }

    var text: String { String(decoding: output.bytes, as: UTF8.self) }

    /// One document.
    func emit(_ value: YAMLValue) throws(YAMLError) {
        try send { yaml_stream_start_event_initialize(&$0, YAML_UTF8_ENCODING) }
        try send { yaml_document_start_event_initialize(&$0, nil, nil, nil, 1) }
        try node(value, isRoot: true)
        try send { yaml_document_end_event_initialize(&$0, 1) }
        try send { yaml_stream_end_event_initialize(&$0) }
    }

    private func node(_ value: YAMLValue, isRoot: Bool = false) throws(YAMLError) {
        switch value.content {
        case .sequence(let values):
            let style = !isRoot && value.fitsOneLine ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE
            try send { yaml_sequence_start_event_initialize(&$0, nil, nil, 1, style) }
            for value in values { try node(value) }
            try send { yaml_sequence_end_event_initialize(&$0) }
        case .mapping(let mapping):
            let style = !isRoot && value.fitsOneLine ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE
            try send { yaml_mapping_start_event_initialize(&$0, nil, nil, 1, style) }
            for entry in mapping {
                try scalar(entry.key, ScalarStyle.of(entry.key) == .plain ? .plain : .doubleQuoted)
                try node(entry.value)
            }
            try send { yaml_mapping_end_event_initialize(&$0) }
        case .string(let text): try scalar(text, ScalarStyle.of(text))
        case .null: try scalar("null", .plain)
        case .bool(let value): try scalar("\(value)", .plain)
        case .int(let value): try scalar("\(value)", .plain)
        case .double(let value): try scalar(Self.text(of: value), .plain)
        }
    }

    private static func text(of number: Double) -> String {
        if number.isNaN { return ".nan" }
        if number.isInfinite { return number < 0 ? "-.inf" : ".inf" }
        return "\(number)"
    }

    private func scalar(_ text: String, _ style: ScalarStyle) throws(YAMLError) {
        // One byte more than is read: where there is nothing to read, libyaml still wants a place.
        let bytes = Array(text.utf8) + [0]
        let count = Int32(bytes.count - 1)
        let yamlStyle =
            switch style {
            case .plain: YAML_PLAIN_SCALAR_STYLE
            case .doubleQuoted: YAML_DOUBLE_QUOTED_SCALAR_STYLE
            case .literal: YAML_LITERAL_SCALAR_STYLE
            }
        try send { event in
            bytes.withUnsafeBufferPointer {
                yaml_scalar_event_initialize(&event, nil, nil, $0.baseAddress, count, 1, 1, yamlStyle)
            }
        }
    }

    /// Hands an event over; libyaml frees it, whether it takes it or not.
    private func send(_ make: (inout yaml_event_t) -> Int32) throws(YAMLError) {
        var event = yaml_event_t()
        guard make(&event) == 1 else { throw YAMLError(.tooLarge, "out of memory while writing YAML") }
        guard yaml_emitter_emit(emitter, &event) == 1 else {
            let problem = emitter.pointee.problem.map { String(cString: $0) } ?? "no reason given"
            throw YAMLError(.syntax, "cannot be written as YAML: \(problem)")
        }
    }
}

/// How a string is written so that every reader takes it for a string.
enum ScalarStyle {
    case plain, doubleQuoted, literal

    /// libyaml itself quotes what would not parse as it stands; this is about what would parse as something else.
    static func of(_ text: String) -> ScalarStyle {
        let scalars = text.unicodeScalars
        if scalars.contains(where: { $0.properties.generalCategory == .control && $0 != "\n" }) { return .doubleQuoted }
        if scalars.contains(where: { $0 == "\u{2028}" || $0 == "\u{2029}" || $0 == "\u{FEFF}" }) {
            return .doubleQuoted
        }
        if scalars.contains("\n") { return isLiteral(text) ? .literal : .doubleQuoted }
        guard case .string = CoreSchema.plain(text) else { return .doubleQuoted }
        return looksLikeAnother(text) ? .doubleQuoted : .plain
    }

    /// Whether a block keeps it to the letter: no line is blank at its end, and none but later lines are indented.
    private static func isLiteral(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, !first.properties.isWhitespace else { return false }
        return text.split(separator: "\n", omittingEmptySubsequences: false).allSatisfy {
            !($0.unicodeScalars.last?.properties.isWhitespace ?? false)
        }
    }

    /// YAML 1.1, which kubectl and most tools read, has more booleans and numbers: <https://yaml.org/type/>.
    private static func looksLikeAnother(_ text: String) -> Bool {
        if ["y", "n", "yes", "no", "on", "off", "=", "<<"].contains(text.lowercased()) { return true }
        guard let first = text.utf8.first, "0123456789+-.".utf8.contains(first) else { return false }
        return text.utf8.allSatisfy("0123456789+-.:_eExXobBtTzZ abcdfABCDF".utf8.contains)
    }
}

extension YAMLValue {
    /// Whether it is a list or a mapping of plain values that reads well on one line.
    fileprivate var fitsOneLine: Bool {
        var length = 0
        switch content {
        case .sequence(let values):
            for value in values {
                guard let more = value.scalarLength else { return false }
                length += more + 2
            }
        case .mapping(let mapping):
            for entry in mapping {
                guard let more = entry.value.scalarLength else { return false }
                length += entry.key.utf8.count + more + 4
            }
        default: return false
        }
        return length <= 90
    }

    private var scalarLength: Int? {
        switch content {
        case .string(let text): text.utf8.contains(UInt8(ascii: "\n")) ? nil : text.utf8.count
        case .null, .bool: 5
        case .int, .double: 8
        case .sequence(let values): values.isEmpty ? 2 : nil
        case .mapping(let mapping): mapping.isEmpty ? 2 : nil
        }
    }
}
