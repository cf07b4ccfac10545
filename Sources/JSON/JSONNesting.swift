/// Which of the objects and arrays that are open is which: a bit for each, without an allocation for the first 64 of them.
struct JSONNesting {
    /// Of those that were opened last; the last one is the lowest bit. 1 stands for an object.
    private var kinds: UInt64 = 0
    private var outer: [UInt64] = []
    private var count = 0

    var isEmpty: Bool { count == 0 }

    /// Nil where none is open.
    var innermostIsObject: Bool? { count == 0 ? nil : kinds & 1 == 1 }

    mutating func open(object: Bool) {
        if count > 0, count.isMultiple(of: 64) {
            outer.append(kinds)
            kinds = 0
        }
        kinds = kinds << 1 | (object ? 1 : 0)
        count += 1
    }

    mutating func close() {
        kinds >>= 1
        count -= 1
        if count > 0, count.isMultiple(of: 64) { kinds = outer.removeLast() }
    }
}
