import Testing

@testable import HTTPClient

@Suite("Lines of a stream")
struct LineSplitterTests {
    @Test("lines come whole, whichever byte the pieces end at")
    func everySplit() throws {
        let text = Array("{\"a\":\"ä€🙂\"}\n\n{}\n{\"b\":1}\n{\"unfinished".utf8)
        let expected = ["{\"a\":\"ä€🙂\"}", "{}", "{\"b\":1}"]
        for first in 0...text.count {
            for second in first...text.count {
                var splitter = LineSplitter(limit: 100)
                var lines: [String] = []
                for piece in [text[..<first], text[first..<second], text[second...]] {
                    splitter.append(Array(piece))
                    while let line = try splitter.next() { lines.append(String(decoding: line, as: UTF8.self)) }
                }
                #expect(lines == expected, "split at \(first) and \(second)")
            }
        }
    }

    @Test("a line beyond the limit is refused, ended or not; one as long as the limit is not")
    func limit() throws {
        var splitter = LineSplitter(limit: 4)
        splitter.append(Array("1234\n12345".utf8))
        #expect(try splitter.next() == Array("1234".utf8))
        let unfinished = splitter
        #expect(throws: LineSplitter.LineTooLong.self) {
            var splitter = unfinished
            _ = try splitter.next()
        }
        splitter.append(Array("\n".utf8))
        let finished = splitter
        #expect(throws: LineSplitter.LineTooLong.self) {
            var splitter = finished
            _ = try splitter.next()
        }
    }
}
