internal import Synchronization

/// One copy of each text that many objects have, such as what a condition says or the name of a label.
final class TextPool: Sendable {
    static let shared = TextPool(limit: 4096)

    private let limit: Int
    private let texts = Mutex<Set<String>>([])

    /// - Parameter limit: how many texts it keeps. When there are more it begins anew: those that are common come back.
    init(limit: Int) {
        self.limit = limit
    }

    /// The copy that is kept of `text`. Short ones need none, and long ones are hardly ever the same twice.
    func copy(of text: String) -> String {
        guard 16...256 ~= text.utf8.count else { return text }
        let kept = texts.withLock { texts in
            if texts.count >= limit, !texts.contains(text) { texts = [] }
            return texts.insert(text).memberAfterInsert
        }
        // Texts that differ in their normal form alone are equal here, and other bytes to everybody else.
        return kept.utf8.elementsEqual(text.utf8) ? kept : text
    }

    var count: Int { texts.withLock { $0.count } }
}
