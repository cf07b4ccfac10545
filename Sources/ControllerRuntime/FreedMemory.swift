#if canImport(Glibc)
    internal import CMalloc
#endif

/// What a large list leaves behind, and the work on it: pages that hold nothing any more, which the C library would keep for
/// the process.
public enum FreedMemory {
    /// Gives them back to the system. Takes milliseconds.
    public static func giveBack() {
        #if canImport(Glibc)
            malloc_trim(0)
        #endif
    }

    /// Has the C library give back what is freed soon. Otherwise it learns from each large piece that was freed to keep more,
    /// and after a list of all objects it keeps tens of megabytes. For the whole process.
    public static func giveBackSoon() {
        #if canImport(Glibc)
            mallopt(M_MMAP_THRESHOLD, 256 << 10)
            mallopt(M_TRIM_THRESHOLD, 1 << 20)
        #endif
    }
}
