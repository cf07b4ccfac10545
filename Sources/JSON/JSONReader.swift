/// Reads JSON (RFC 8259) from bytes, value by value, into whatever the caller makes of it: no tree in between.
///
/// The coordinator of promises reads tens of thousands of requests a second, and most of what passes through is somebody's
/// data, which it only carries; the operator reads objects of which it keeps a part.
package struct JSONReader {
    /// What is wrong with the text, and at which byte.
    package struct Flaw: Error, Sendable, Hashable, CustomStringConvertible {
        package let description: String

        package init(description: String) { self.description = description }
    }

    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    private var depth = 0
    private let maximumDepth: Int

    /// Deeper than anybody nests a request, and far from the end of the stack.
    package static let usualDepth = 64

    @usableFromInline
    init(_ bytes: UnsafeRawBufferPointer, maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    /// Lets `body` read the one value that the bytes are.
    ///
    /// - Parameter maximumDepth: how many levels of objects and arrays it may have.
    @inlinable
    package static func read<Value>(
        _ bytes: UnsafeRawBufferPointer,
        maximumDepth: Int = usualDepth,
        _ body: (inout JSONReader) throws(Flaw) -> Value
    ) throws(Flaw) -> Value {
        var reader = JSONReader(bytes, maximumDepth: maximumDepth)
        let value = try body(&reader)
        try reader.end()
        return value
    }

    @inlinable
    package static func read<Value>(
        _ bytes: some Sequence<UInt8>,
        _ body: (inout JSONReader) throws(Flaw) -> Value
    ) throws(Flaw) -> Value {
        func read(_ buffer: UnsafeBufferPointer<UInt8>) -> Result<Value, Flaw> {
            do throws(Flaw) {
                return .success(try Self.read(UnsafeRawBufferPointer(buffer), maximumDepth: usualDepth, body))
            } catch {
                return .failure(error)
            }
        }
        if let result = bytes.withContiguousStorageIfAvailable(read) { return try result.get() }
        return try Array(bytes).withUnsafeBufferPointer(read).get()
    }

    // MARK: Values

    /// An object; `member` reads the value of each key, or skips it.
    package mutating func object(_ member: (String, inout JSONReader) throws(Flaw) -> Void) throws(Flaw) {
        try open("{", "an object")
        if take("}") { return close() }
        repeat {
            let key = try string()
            try expect(":")
            try member(key, &self)
        } while take(",")
        try expect("}")
        close()
    }

    /// An array; `element` reads each of its values.
    package mutating func array(_ element: (inout JSONReader) throws(Flaw) -> Void) throws(Flaw) {
        try open("[", "an array")
        if take("]") { return close() }
        repeat { try element(&self) } while take(",")
        try expect("]")
        close()
    }

    /// Steps to the first element of an array, if there is one: for who takes the elements one at a time.
    package mutating func firstElement() throws(Flaw) -> Bool {
        try open("[", "an array")
        return !take("]")
    }

    /// Steps from behind an element to the next one, if there is one.
    package mutating func nextElement() throws(Flaw) -> Bool {
        if take(",") { return true }
        try expect("]")
        return false
    }

    package mutating func string() throws(Flaw) -> String {
        guard next == UInt8(ascii: "\"") else { throw flaw("a string") }
        position += 1
        let start = position
        var isASCII = true
        while position < bytes.count {
            passPlainWords()
            switch bytes[position] {
            case UInt8(ascii: "\""):
                let plain = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
                position += 1
                // Repairs what needs no repair, and is several times as fast as to validate.
                if isASCII { return String(decoding: plain, as: UTF8.self) }
                guard let text = String(validating: plain, as: UTF8.self) else { throw flaw("valid UTF-8") }
                return text
            case UInt8(ascii: "\\"): return try escapedString(from: start)
            case 0..<0x20: throw flaw("no control character in a string")
            case 0x80...:
                isASCII = false
                position += 1
            default: position += 1
            }
        }
        throw flaw("the end of a string")
    }

    /// A whole number of 64 bits. `1.0` is one; `0.5` is not.
    package mutating func integer() throws(Flaw) -> Int64 {
        let text = try number(orElse: "a whole number")
        if let integer = Int64(text) { return integer }
        // A number that is only digits is too large then; what else is written is a `Double` to whoever wrote it.
        guard text.utf8.contains(where: { !Self.isDigit($0) && $0 != UInt8(ascii: "-") }), let double = Double(text),
            let integer = Int64(exactly: double)
        else { throw flaw("a whole number") }
        return integer
    }

    /// A number, as near as a `Double` comes to it.
    package mutating func double() throws(Flaw) -> Double {
        guard let double = Double(try number(orElse: "a number")), double.isFinite else { throw flaw("a number") }
        return double
    }

    package mutating func boolean() throws(Flaw) -> Bool {
        let isTrue = next == UInt8(ascii: "t")
        try literal(isTrue ? "true" : "false")
        return isTrue
    }

    package mutating func isNull() throws(Flaw) -> Bool {
        guard next == UInt8(ascii: "n") else { return false }
        try literal("null")
        return true
    }

    /// Passes over a value, whatever it is, and however deep: what nobody reads takes no stack, so that one value that is
    /// nested without end does not keep its neighbours from being read.
    package mutating func skip() throws(Flaw) {
        var nesting = JSONNesting()
        repeat {
            if try skipToValue(&nesting) { continue }
            while let isObject = nesting.innermostIsObject {
                if take(",") {
                    if isObject { try skipKey() }
                    break
                }
                try expect(isObject ? "}" : "]")
                nesting.close()
            }
        } while !nesting.isEmpty
    }

    /// Passes over a value, or into an object or array that has any. True then: its first value comes next.
    private mutating func skipToValue(_ nesting: inout JSONNesting) throws(Flaw) -> Bool {
        switch next {
        case UInt8(ascii: "{"):
            position += 1
            if take("}") { return false }
            nesting.open(object: true)
            try skipKey()
            return true
        case UInt8(ascii: "["):
            position += 1
            if take("]") { return false }
            nesting.open(object: false)
            return true
        case UInt8(ascii: "\""): try skipString()
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        default: _ = try number(orElse: "a value")
        }
        return false
    }

    private mutating func skipKey() throws(Flaw) {
        _ = try string()
        try expect(":")
    }

    /// Passes over a value and returns a reader of it, for later; it may not outlive the bytes.
    package mutating func deferred() throws(Flaw) -> JSONReader {
        _ = next
        let reader = self
        try skip()
        return reader
    }

    /// What the next value is, by how it begins.
    package enum Kind: String {
        case object = "an object"
        case array = "a list"
        case string = "a string"
        case number = "a number"
        case boolean = "true or false"
        case null = "null"
    }

    package var kind: Kind {
        mutating get {
            switch next {
            case UInt8(ascii: "{"): .object
            case UInt8(ascii: "["): .array
            case UInt8(ascii: "\""): .string
            case UInt8(ascii: "t"), UInt8(ascii: "f"): .boolean
            case UInt8(ascii: "n"): .null
            default: .number
            }
        }
    }

    /// Whether the next value is an object.
    package var isObject: Bool {
        mutating get { next == UInt8(ascii: "{") }
    }

    /// Passes over a value and returns its text.
    package mutating func raw() throws(Flaw) -> String {
        _ = next
        let start = position
        try skip()
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// An object whose values are strings.
    package mutating func dictionary() throws(Flaw) -> [String: String] {
        var dictionary: [String: String] = [:]
        try object { (key, reader) throws(Flaw) in dictionary[key] = try reader.string() }
        return dictionary
    }

    /// Nil for `null`.
    @inlinable
    package mutating func optional<Value>(_ read: (inout JSONReader) throws(Flaw) -> Value) throws(Flaw) -> Value? {
        try isNull() ? nil : try read(&self)
    }

    // MARK: Characters

    /// The first byte that is not white space.
    private var next: UInt8? {
        mutating get {
            while position < bytes.count {
                switch bytes[position] {
                case 0x20, 0x09, 0x0A, 0x0D: position += 1
                default: return bytes[position]
                }
            }
            return nil
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(Flaw) {
        guard take(character) else { throw flaw("'\(character)'") }
    }

    private mutating func open(_ character: Unicode.Scalar, _ what: String) throws(Flaw) {
        guard take(character) else { throw flaw(what) }
        depth += 1
        guard depth <= maximumDepth else { throw flaw("no more than \(maximumDepth) levels") }
    }

    private mutating func close() {
        depth -= 1
    }

    @usableFromInline
    mutating func end() throws(Flaw) {
        if next != nil { throw flaw("the end of the text") }
    }

    private mutating func literal(_ text: StaticString) throws(Flaw) {
        let end = position + text.utf8CodeUnitCount
        guard end <= bytes.count,
            (0..<text.utf8CodeUnitCount).allSatisfy({ bytes[position + $0] == text.utf8Start[$0] })
        else { throw flaw("\(text)") }
        position = end
    }

    private mutating func skipString() throws(Flaw) {
        position += 1
        while position < bytes.count {
            passPlainWords()
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return
            case UInt8(ascii: "\\"): position += 2
            case 0..<0x20: throw flaw("no control character in a string")
            default: position += 1
            }
        }
        throw flaw("the end of a string")
    }

    /// Passes over words of eight bytes in which there is nothing but plain ASCII: no quote, no backslash, no control
    /// character. At least one byte is left.
    private mutating func passPlainWords() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        while position + 8 < bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let quote = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
            let backslash = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
            // A byte's high bit is set where it is zero, or one below it was: enough to know that there is any.
            let isAny = (quote &- ones) | (backslash &- ones) | (word &- ones &* 0x20) | word
            if isAny & highs != 0 { return }
            position += 8
        }
    }

    private mutating func number(orElse expected: String) throws(Flaw) -> String {
        _ = next
        let start = position
        takeAny("-")
        let isZero = position < bytes.count && bytes[position] == UInt8(ascii: "0")
        let whole = takeDigits()
        // JSON allows no zero before another digit.
        var isNumber = whole == 1 || whole > 1 && !isZero
        if takeAny(".") { isNumber = takeDigits() > 0 && isNumber }
        if takeAny("e", "E") {
            takeAny("+", "-")
            isNumber = takeDigits() > 0 && isNumber
        }
        guard isNumber else {
            position = start
            throw flaw(expected)
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    @discardableResult
    private mutating func takeAny(_ characters: Unicode.Scalar...) -> Bool {
        guard position < bytes.count, characters.contains(Unicode.Scalar(bytes[position])) else { return false }
        position += 1
        return true
    }

    /// How many there were.
    private mutating func takeDigits() -> Int {
        let start = position
        while position < bytes.count, Self.isDigit(bytes[position]) { position += 1 }
        return position - start
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
    }

    private func flaw(_ expected: String) -> Flaw {
        Flaw(description: "expected \(expected) at byte \(position)")
    }

    // MARK: Escapes

    private mutating func escapedString(from start: Int) throws(Flaw) -> String {
        var text = Array(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: text, as: UTF8.self) else { throw flaw("valid UTF-8") }
                return text
            case UInt8(ascii: "\\"): text.append(contentsOf: try escape().utf8)
            case 0..<0x20: throw flaw("no control character in a string")
            default: text.append(byte)
            }
        }
        throw flaw("the end of a string")
    }

    private mutating func escape() throws(Flaw) -> Character {
        guard position < bytes.count else { throw flaw("an escaped character") }
        defer { position += 1 }
        switch bytes[position] {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw flaw("an escaped character")
        }
    }

    /// Leaves the position at the last digit. Half of a surrogate pair alone is refused: it has no form in UTF-8, and in
    /// its stead something else would be stored.
    private mutating func unicodeEscape() throws(Flaw) -> Character {
        let unit = try codeUnit()
        if let scalar = Unicode.Scalar(unit) { return Character(scalar) }
        guard unit & 0xFC00 == 0xD800, position + 6 < bytes.count, bytes[position + 1] == UInt8(ascii: "\\"),
            bytes[position + 2] == UInt8(ascii: "u")
        else { throw flaw("both halves of a surrogate pair") }
        position += 2
        let low = try codeUnit()
        guard low & 0xFC00 == 0xDC00, let scalar = Unicode.Scalar(0x10000 + ((unit & 0x3FF) << 10 | low & 0x3FF)) else {
            throw flaw("both halves of a surrogate pair")
        }
        return Character(scalar)
    }

    private mutating func codeUnit() throws(Flaw) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            position += 1
            guard position < bytes.count, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
                throw flaw("four hexadecimal digits")
            }
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }
}
