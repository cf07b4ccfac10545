internal import Foundation

/// What may be the id of a promise or of a schedule.
enum Identifier {
    static let rule = "is not empty, contains no NUL, and is in Unicode's normal form C"

    /// Swift takes two texts for equal that PostgreSQL takes for different, when they are canonically equivalent
    /// (Unicode Standard Annex #15). Of such texts one only is in normal form C, so among ids both agree.
    static func isValid(_ id: String) -> Bool {
        if id.isEmpty || id.utf8.contains(0) { return false }
        if id.utf8.allSatisfy({ $0 < 0x80 }) { return true }
        return id.utf8.elementsEqual(id.precomposedStringWithCanonicalMapping.utf8)
    }
}
