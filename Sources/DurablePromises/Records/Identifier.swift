internal import Foundation

/// What may be the id of a promise or of a schedule.
enum Identifier {
    static let rule = "is not empty, has at most \(mostBytes) bytes, no NUL, and is in Unicode's normal form C"

    /// Two of them, or one and an address, are the key of a row, and PostgreSQL takes keys of about 2700 bytes in all: a third
    /// of a page (its manual, "B-Tree Indexes").
    static let mostBytes = 1024

    /// Swift takes two texts for equal that PostgreSQL takes for different, when they are canonically equivalent
    /// (Unicode Standard Annex #15). Of such texts one only is in normal form C, so among ids both agree.
    static func isValid(_ id: String) -> Bool {
        if id.isEmpty || id.utf8.count > mostBytes || id.utf8.contains(0) { return false }
        if id.utf8.allSatisfy({ $0 < 0x80 }) { return true }
        return id.utf8.elementsEqual(id.precomposedStringWithCanonicalMapping.utf8)
    }
}
