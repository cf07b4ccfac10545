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

    private static func hash(_ kind: String, _ text: String) -> Int64 {
        var hash = StableHash()
        hash.add(kind)
        hash.add(0)
        hash.add(text)
        return Int64(bitPattern: hash.value)
    }
}
