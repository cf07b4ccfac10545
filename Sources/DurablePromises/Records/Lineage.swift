/// The family of a promise, by its id.
///
/// Ids of one execution begin alike: `root`, `root:1`, `root:1.1`. The root is separated by a colon; older clients separate
/// by points only, which newer ones allow within a root.
public enum Lineage {
    /// What stands before the first colon.
    public static func origin(_ id: String) -> String {
        String(decoding: id.utf8.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)
    }

    /// What stands before the first colon or point, so that it is the same for all of a family, whichever way its client
    /// separates. Everything that one request changes has one partition or two, so this is what is locked.
    static func partition(_ id: String) -> String {
        String(decoding: id.utf8.prefix { $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: ".") }, as: UTF8.self)
    }

    /// Whether promises are of one family, hence of one partition.
    ///
    /// Where one of the ids has a colon it is the colon that separates, and points belong to the roots: `a.b:1` is none of the
    /// family of `a.c`. Where none has, points separate, as older clients and checkers do.
    static func isOneFamily(_ ids: [String]) -> Bool {
        let isByColon = ids.contains { $0.utf8.contains(UInt8(ascii: ":")) }
        return Set(ids.map { isByColon ? origin($0) : partition($0) }).count <= 1
    }

    /// Whether `id` is `ancestor`, or below it in either way of separating.
    static func descends(_ id: String, from ancestor: String) -> Bool {
        guard id.utf8.starts(with: ancestor.utf8) else { return false }
        guard let next = id.utf8.dropFirst(ancestor.utf8.count).first else { return true }
        return next == UInt8(ascii: ":") || next == UInt8(ascii: ".")
    }
}
