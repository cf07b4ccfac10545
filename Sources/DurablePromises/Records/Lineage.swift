/// The family of a promise, by its id.
///
/// Ids of one execution begin alike: `root`, `root:1`, `root:1.1`. The root is separated by a colon; older clients separate
/// by points only, which newer ones allow within a root.
public enum Lineage {
    /// What stands before the first colon.
    public static func origin(_ id: String) -> String {
        String(id.prefix { $0 != ":" })
    }

    /// What stands before the first colon or point, so that it is the same for all of a family, whichever way its client
    /// separates. Everything that one request changes has one partition or two, so this is what is locked.
    static func partition(_ id: String) -> String {
        String(decoding: id.utf8.prefix { $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: ".") }, as: UTF8.self)
    }

    /// Whether `id` is `ancestor`, or below it in either way of separating.
    static func descends(_ id: String, from ancestor: String) -> Bool {
        guard id.utf8.starts(with: ancestor.utf8) else { return false }
        guard let next = id.utf8.dropFirst(ancestor.utf8.count).first else { return true }
        return next == UInt8(ascii: ":") || next == UInt8(ascii: ".")
    }
}
