/// Metrics as Prometheus reads them.
struct Exposition {
    private(set) var text = ""

    mutating func head(_ name: String, _ help: String, _ type: String) {
        let help = help.replacing("\\", with: #"\\"#).replacing("\n", with: #"\n"#)
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    mutating func line(_ name: String, _ labels: [(String, String)], _ value: Double) {
        text += name
        if !labels.isEmpty {
            text += "{" + labels.map { "\($0)=\"\(Self.escape($1))\"" }.joined(separator: ",") + "}"
        }
        text += " \(Self.number(value))\n"
    }

    mutating func lines(_ name: String, _ labels: [(String, String)], _ histogram: Histogram) {
        let counts = histogram.cumulative
        for (bound, count) in zip(histogram.bounds, counts) {
            let (seconds, attoseconds) = bound.components
            let limit = Self.number(Double(seconds) + Double(attoseconds) / 1e18)
            line(name + "_bucket", labels + [("le", limit)], Double(count))
        }
        let count = Double(counts.last ?? 0)
        line(name + "_bucket", labels + [("le", "+Inf")], count)
        line(name + "_sum", labels, histogram.seconds)
        line(name + "_count", labels, count)
    }

    private static func escape(_ value: String) -> String {
        value.replacing("\\", with: #"\\"#).replacing("\"", with: #"\""#).replacing("\n", with: #"\n"#)
    }

    /// Whole numbers without a point.
    private static func number(_ value: Double) -> String {
        if let integer = Int64(exactly: value) { return "\(integer)" }
        if value.isNaN { return "NaN" }
        return value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : "\(value)"
    }
}
