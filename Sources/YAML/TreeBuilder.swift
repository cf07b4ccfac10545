/// Events to values, with anchors resolved.
///
/// What it builds is bounded: aliases of aliases would otherwise let a small text stand for a tree of any size.
struct TreeBuilder {
    private static let deepest = 100
    private static let mostNodes = 1_000_000

    private let parser: EventParser
    private var anchors: [String: (value: YAMLValue, nodes: Int)] = [:]
    private var nodes = 0

    init(parser: EventParser) {
        self.parser = parser
    }

    mutating func documents() throws(YAMLError) -> [YAMLValue] {
        var documents: [YAMLValue] = []
        while true {
            switch try parser.next() {
            case .streamEnd:
                return documents
            case .documentStart:
                anchors = [:]
                let value = try value(from: parser.next(), depth: 0)
                if !value.isNull { documents.append(value) }
            default:
                continue
            }
        }
    }

    private mutating func value(from event: EventParser.Event, depth: Int) throws(YAMLError) -> YAMLValue {
        let before = nodes
        let (value, node) = try build(event, depth: depth)
        if let anchor = node?.anchor {
            anchors[anchor] = (value, nodes - before)
        }
        return value
    }

    private mutating func build(
        _ event: EventParser.Event, depth: Int
    ) throws(YAMLError) -> (YAMLValue, EventParser.Node?) {
        switch event {
        case .alias(let name, let mark):
            guard let anchor = anchors[name] else {
                throw YAMLError(.syntax, "the alias *\(name)* names no anchor before it", mark: mark)
            }
            try count(anchor.nodes, at: mark)
            return (YAMLValue(anchor.value.content, mark: mark), nil)
        case .scalar(let text, let isPlain, let node):
            try count(1, at: node.mark)
            return (YAMLValue(try CoreSchema.resolve(text, isPlain: isPlain, node: node), mark: node.mark), node)
        case .sequenceStart(let node):
            try open(node, depth: depth, tag: "tag:yaml.org,2002:seq")
            return (YAMLValue(.sequence(try sequence(depth: depth + 1)), mark: node.mark), node)
        case .mappingStart(let node):
            try open(node, depth: depth, tag: "tag:yaml.org,2002:map")
            return (YAMLValue(.mapping(try mapping(depth: depth + 1)), mark: node.mark), node)
        default:
            throw YAMLError(.syntax, "not YAML: a value was expected")
        }
    }

    private mutating func sequence(depth: Int) throws(YAMLError) -> [YAMLValue] {
        var values: [YAMLValue] = []
        while true {
            let event = try parser.next()
            if case .sequenceEnd = event { return values }
            values.append(try value(from: event, depth: depth))
        }
    }

    private mutating func mapping(depth: Int) throws(YAMLError) -> YAMLMapping {
        var entries: [YAMLMapping.Entry] = []
        var marks: [String: YAMLMark] = [:]
        while true {
            let event = try parser.next()
            if case .mappingEnd = event { return YAMLMapping(entries) }
            guard case .scalar(let key, let isPlain, let node) = event else {
                throw YAMLError(.syntax, "the key of a mapping must be a plain value", mark: event.mark)
            }
            if isPlain, key == "<<" {
                throw YAMLError(.syntax, "merge keys (<<) are not supported: write the keys out", mark: node.mark)
            }
            if let first = marks.updateValue(node.mark, forKey: key) {
                throw YAMLError(.duplicateKey, "the key \(key) is there already, at \(first)", mark: node.mark)
            }
            try count(1, at: node.mark)
            if let anchor = node.anchor { anchors[anchor] = (YAMLValue(.string(key), mark: node.mark), 1) }
            let value = try value(from: parser.next(), depth: depth)
            entries.append(.init(key: key, mark: node.mark, value: value))
        }
    }

    private mutating func open(_ node: EventParser.Node, depth: Int, tag: String) throws(YAMLError) {
        if let named = node.tag, named != tag, named != "!" {
            throw YAMLError(.syntax, "the tag \(named) is not supported", mark: node.mark)
        }
        guard depth < Self.deepest else {
            throw YAMLError(.tooLarge, "nested deeper than \(Self.deepest) levels", mark: node.mark)
        }
        try count(1, at: node.mark)
    }

    private mutating func count(_ more: Int, at mark: YAMLMark) throws(YAMLError) {
        nodes += more
        guard nodes <= Self.mostNodes else {
            throw YAMLError(.tooLarge, "more than \(Self.mostNodes) values, counting what aliases repeat", mark: mark)
        }
    }
}

extension EventParser.Event {
    fileprivate var mark: YAMLMark? {
        switch self {
        case .sequenceStart(let node), .mappingStart(let node): node.mark
        case .alias(_, let mark): mark
        default: nil
        }
    }
}
