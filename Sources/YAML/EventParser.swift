internal import CYAML

/// libyaml's parser: one event after the other.
final class EventParser {
    enum Event {
        case streamStart
        case streamEnd
        case documentStart
        case documentEnd
        case alias(name: String, mark: YAMLMark)
        case scalar(text: String, isPlain: Bool, node: Node)
        case sequenceStart(Node)
        case sequenceEnd
        case mappingStart(Node)
        case mappingEnd
    }

    /// What a scalar, a sequence and a mapping have in common.
    struct Node {
        var anchor: String?
        var tag: String?
        var mark: YAMLMark
    }

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: UnsafeMutableBufferPointer<UInt8>

    init(_ text: String) throws(YAMLError) {
        let bytes = Array(text.utf8)
        self.text = .allocate(capacity: bytes.count)
        _ = self.text.initialize(from: bytes)
        parser = .allocate(capacity: 1)
        guard yaml_parser_initialize(parser) == 1 else {
            parser.deallocate()
            self.text.deallocate()
            throw YAMLError(.tooLarge, "out of memory while reading YAML")
        }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, self.text.baseAddress, self.text.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        text.deallocate()
    }

    func next() throws(YAMLError) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw failure() }
        defer { yaml_event_delete(&event) }
        let mark = YAMLMark(event.start_mark)
        switch event.type {
        case YAML_STREAM_START_EVENT:
            return .streamStart
        case YAML_DOCUMENT_START_EVENT:
            return .documentStart
        case YAML_DOCUMENT_END_EVENT:
            return .documentEnd
        case YAML_ALIAS_EVENT:
            return .alias(name: String(event.data.alias.anchor) ?? "", mark: mark)
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return .scalar(
                text: String(decoding: bytes, as: UTF8.self),
                isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE,
                node: Node(anchor: String(scalar.anchor), tag: String(scalar.tag), mark: mark))
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            return .sequenceStart(Node(anchor: String(start.anchor), tag: String(start.tag), mark: mark))
        case YAML_SEQUENCE_END_EVENT:
            return .sequenceEnd
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            return .mappingStart(Node(anchor: String(start.anchor), tag: String(start.tag), mark: mark))
        case YAML_MAPPING_END_EVENT:
            return .mappingEnd
        default:
            return .streamEnd
        }
    }

    private func failure() -> YAMLError {
        let state = parser.pointee
        let problem = state.problem.map { String(cString: $0) } ?? "the text cannot be read"
        let context = state.context.map { " " + String(cString: $0) } ?? ""
        return YAMLError(.syntax, "not YAML: \(problem)\(context)", mark: YAMLMark(state.problem_mark))
    }
}

extension YAMLMark {
    init(_ mark: yaml_mark_t) {
        self.init(line: mark.line + 1, column: mark.column + 1)
    }
}

extension String {
    /// A copy of libyaml's zero-terminated bytes.
    fileprivate init?(_ bytes: UnsafeMutablePointer<UInt8>?) {
        guard let bytes else { return nil }
        self = String(cString: bytes)
    }
}
