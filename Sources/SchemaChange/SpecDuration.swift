/// A length of time as Kubernetes writes it: `40ms`, `10s`, `1h30m`, `168h`.
public struct SpecDuration: SpecText {
    public static let form = "a length of time up to a hundred years; write it like 40ms, 10s or 1h30m"

    public let duration: Duration

    public init(_ duration: Duration) {
        self.duration = duration
    }

    /// Nil when `text` is not such a length of time, or is longer than a hundred years.
    public init?(_ text: String) {
        if text == "0" {
            self.init(.zero)
            return
        }
        var rest = Substring(text)
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let count = Double(digits), let seconds = Self.units[String(unit)] else { return nil }
            total += count * seconds
        }
        guard !text.isEmpty, total <= Self.longest else { return nil }
        self.init(.seconds(total))
    }

    public var description: String {
        let milliseconds = Int64((duration / .milliseconds(1)).rounded())
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }

    /// In seconds; more would neither fit a `Duration` nor mean anything.
    private static let longest = 100.0 * 366 * 24 * 3600
    private static let units: [String: Double] = ["ms": 0.001, "s": 1, "m": 60, "h": 3600]
}
