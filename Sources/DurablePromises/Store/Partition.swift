/// The numbers of the advisory locks under which records are read and written.
///
/// All that a request may change, besides what it names, belongs to the families of the promises that it names. So these
/// numbers, taken in order before anything is read, keep every two transactions apart that have to be, and no two can wait
/// for each other.
enum Partition {
    static func ofPromise(_ id: String) -> Int64 {
        hash("promise", Lineage.partition(id))
    }

    static func ofSchedule(_ id: String) -> Int64 {
        hash("schedule", id)
    }

    /// FNV-1a with 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>): the same in every process.
    private static func hash(_ kind: StaticString, _ text: String) -> Int64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ byte: UInt8) {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        kind.withUTF8Buffer { $0.forEach(add) }
        add(0)
        text.utf8.forEach(add)
        return Int64(bitPattern: hash)
    }
}
