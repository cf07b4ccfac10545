/// A pace for each of the passes over a window of pages: they do not cost the same. One begins at that of the pass before.
struct PassPacers {
    /// Of the first passes, as far as they were begun.
    private var pacers: [ChunkPacer]

    init(_ first: ChunkPacer) {
        pacers = [first]
    }

    subscript(pass: Int) -> ChunkPacer {
        get { pacers[min(pass, pacers.count - 1)] }
        set {
            while pacers.count <= pass { pacers.append(pacers[pacers.count - 1]) }
            pacers[pass] = newValue
        }
    }
}
