/// By what the rows of a range are told from those of others.
public enum WalkMethod: String, Codable, Sendable {
    /// By the pages of the table, or of each partition: the fastest. By keys where one of them is no heap.
    case pages = "Pages"
    /// By the key: what is read together is what a slow index order or a cache may want together.
    case keys = "Keys"
}
