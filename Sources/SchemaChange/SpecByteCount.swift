/// A number of bytes as Kubernetes writes it: `1048576`, `512Mi`, `16Gi`, `2G`.
public struct SpecByteCount: SpecText {
    public static let form = "a number of bytes; write it like 512Mi or 16Gi"

    public let bytes: Int64

    public init(_ bytes: Int64) {
        self.bytes = bytes
    }

    /// Nil when `text` is not such a number, or is larger than a database can be.
    public init?(_ text: String) {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let count = Double(digits), let factor = Self.units[String(text.dropFirst(digits.count))] else {
            return nil
        }
        let bytes = count * factor
        guard bytes < 0x1p62 else { return nil }
        self.init(Int64(bytes))
    }

    /// In the largest unit that says it exactly.
    public var description: String {
        let unit = Self.binary.last { bytes >= $0.bytes && bytes % $0.bytes == 0 }
        return unit.map { "\(bytes / $0.bytes)\($0.name)" } ?? String(bytes)
    }

    /// About, for people: `3.2 GiB`.
    public var rounded: String {
        guard let unit = Self.binary.last(where: { bytes >= $0.bytes }) else { return "\(bytes) bytes" }
        let tenths = (bytes * 10 / unit.bytes)
        return "\(tenths / 10).\(tenths % 10) \(unit.name)B"
    }

    private static let binary: [(name: String, bytes: Int64)] = [
        ("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("Ti", 1 << 40), ("Pi", 1 << 50),
    ]
    private static let units: [String: Double] = [
        "": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "Ki": 0x1p10, "Mi": 0x1p20, "Gi": 0x1p30,
        "Ti": 0x1p40,
        "Pi": 0x1p50,
    ]
}
