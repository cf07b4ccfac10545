internal import PostgreSQL
public import SchemaChange

/// When a backfill may work: from one time of day to another, on some days of the week.
public struct TimeWindow: Codable, Hashable, Sendable {
    public enum Day: String, SpecWord, Sendable {
        case monday = "Mon"
        case tuesday = "Tue"
        case wednesday = "Wed"
        case thursday = "Thu"
        case friday = "Fri"
        case saturday = "Sat"
        case sunday = "Sun"
    }

    /// Those on which it begins; every one where none is given.
    public var days: [Day]?
    public var from: TimeOfDay
    /// If it is not later than ``from``, on the next day.
    public var to: TimeOfDay
    /// As PostgreSQL knows it, such as `Europe/Berlin`; UTC unless it is said.
    public var timeZone: String?

    public init(days: [Day]? = nil, from: TimeOfDay, to: TimeOfDay, timeZone: String? = nil) {
        self.days = days
        self.from = from
        self.to = to
        self.timeZone = timeZone
    }

    /// - Parameter weekday: 0 for Monday.
    func contains(weekday: Int, minute: Int) -> Bool {
        func begins(on weekday: Int) -> Bool {
            guard let days, !days.isEmpty else { return true }
            return days.contains(Day.allCases[(weekday + 7) % 7])
        }
        if from.minute < to.minute { return begins(on: weekday) && (from.minute..<to.minute).contains(minute) }
        return begins(on: weekday) && minute >= from.minute || begins(on: weekday - 1) && minute < to.minute
    }

    var description: String {
        let days = days.map { $0.map(\.rawValue).joined(separator: ", ") + " " } ?? ""
        return "\(days)\(from)–\(to) \(timeZone ?? "UTC")"
    }
}

/// `22:30`.
public struct TimeOfDay: SpecText {
    public static let form = "a time of day; write it like 22:30"

    /// Since midnight; 24:00 is the end of the day.
    public let minute: Int

    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.count == 2 && $0.allSatisfy(\.isASCII) }),
            let hours = Int(parts[0]),
            let minutes = Int(parts[1]), 0..<60 ~= minutes, 0...24 * 60 ~= hours * 60 + minutes, hours >= 0
        else { return nil }
        minute = hours * 60 + minutes
    }

    public var description: String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(minute / 60)):\(two(minute % 60))"
    }
}

/// Whether it is time. By the clock of the server, which knows the time zones of the world.
struct TimeWindows: ThrottleSignal {
    let reason = "OutsideWindow"
    let setting = "windows"
    let windows: [TimeWindow]

    var isOfWrites: Bool { false }

    var statement: PostgresStatement {
        PostgresStatement(
            """
            SELECT extract(isodow FROM at)::bigint - 1 AS weekday,
                extract(hour FROM at)::bigint * 60 + extract(minute FROM at)::bigint AS minute
            FROM unnest($1::text[]) WITH ORDINALITY AS zone (name, place), LATERAL (SELECT clock_timestamp() AT TIME ZONE name AS at) AS local
            ORDER BY place
            """, [.textArray(windows.map { $0.timeZone ?? "UTC" })])
    }

    func finding(in rows: [PostgresRow], at now: ContinuousClock.Instant) throws -> String? {
        for (window, row) in zip(windows, rows) {
            let (weekday, minute) = (try row.integer("weekday"), try row.integer("minute"))
            if window.contains(weekday: Int(weekday), minute: Int(minute)) { return nil }
        }
        return "it works \(windows.map(\.description).joined(separator: ", and ")) only"
    }
}
