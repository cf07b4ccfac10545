#if canImport(Glibc)
    internal import CMalloc
#endif

/// What a large list leaves behind: pages that hold nothing any more, which the C library would keep for the process.
enum FreedMemory {
    /// Gives them back to the system. Takes milliseconds.
    static func giveBack() {
        #if canImport(Glibc)
            malloc_trim(0)
        #endif
    }
}
