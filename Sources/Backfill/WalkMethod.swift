public import SchemaChange

/// By what the rows of a range are told from those of others.
public enum WalkMethod: String, SpecWord, Sendable {
    /// By the pages of the table, or of each partition: the fastest. By keys where one of them is no heap.
    case pages = "Pages"
    /// By the key: slower, and whatever is written anew meanwhile, it goes on where it was.
    case keys = "Keys"
}
