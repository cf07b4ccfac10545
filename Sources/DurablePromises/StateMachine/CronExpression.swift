/// When something is to happen again and again, in UTC: `minute hour day month weekday`, with seconds before them and the
/// year after them where there are six or seven fields.
///
/// A field is `*`, or a list by comma of numbers, ranges `2-5`, and steps `*/15`, `2-30/7`; months and weekdays have names
/// as well. Weekdays are those of POSIX: 0 and 7 are Sunday. As there, when day and weekday are both given, either will do.
public struct CronExpression: Sendable, Hashable {
    private let seconds: [Int]
    private let minutes: [Int]
    private let hours: [Int]
    private let days: Set<Int>
    private let months: Set<Int>
    private let weekdays: Set<Int>
    /// In order; nil for every year.
    private let years: [Int]?
    private let anyDay: Bool
    private let anyWeekday: Bool

    private static let monthNames = [
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ]
    private static let weekdayNames = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]

    /// Nil for what is no such expression.
    public init?(_ text: String) {
        var fields = text.split(whereSeparator: \.isWhitespace).map { $0.uppercased() }
        guard (5...7).contains(fields.count) else { return nil }
        if fields.count == 5 { fields.insert("0", at: 0) }
        guard let seconds = Self.values(fields[0], 0...59), let minutes = Self.values(fields[1], 0...59),
            let hours = Self.values(fields[2], 0...23), let days = Self.values(fields[3], 1...31),
            let months = Self.values(fields[4], 1...12, names: Self.monthNames, first: 1),
            let weekdays = Self.values(fields[5], 0...7, names: Self.weekdayNames, first: 0)
        else { return nil }
        self.seconds = seconds.sorted()
        self.minutes = minutes.sorted()
        self.hours = hours.sorted()
        self.days = days
        self.months = months
        self.weekdays = Set(weekdays.map { $0 % 7 })
        anyDay = Self.isAny(fields[3])
        anyWeekday = Self.isAny(fields[5])
        if fields.count == 7, fields[6] != "*", fields[6] != "?" {
            guard let years = Self.values(fields[6], 1970...9999) else { return nil }
            self.years = years.sorted()
        } else {
            years = nil
        }
    }

    private static func isAny(_ field: String) -> Bool {
        field.hasPrefix("*") || field == "?"
    }

    private static func values(
        _ field: String,
        _ range: ClosedRange<Int>,
        names: [String] = [],
        first: Int = 0
    ) -> Set<Int>? {
        func number(_ text: Substring) -> Int? {
            if let index = names.firstIndex(of: String(text)) { return index + first }
            return digits(text).flatMap { range.contains($0) ? $0 : nil }
        }
        // Not what `Int` takes as well: a sign.
        func digits(_ text: Substring) -> Int? {
            text.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } ? Int(text) : nil
        }
        if field == "?" { return Set(range) }
        var values: Set<Int> = []
        for part in field.split(separator: ",", omittingEmptySubsequences: false) {
            let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
            guard pieces.count <= 2 else { return nil }
            let step = pieces.count == 2 ? digits(pieces[1]) : 1
            guard let step, step > 0 else { return nil }
            let span: ClosedRange<Int>
            let ends = pieces[0].split(separator: "-", omittingEmptySubsequences: false)
            if pieces[0] == "*" {
                span = range
            } else if ends.count == 2, let low = number(ends[0]), let high = number(ends[1]), low <= high {
                span = low...high
            } else if ends.count == 1, let only = number(ends[0]) {
                span = only...(pieces.count == 2 ? range.upperBound : only)
            } else {
                return nil
            }
            values.formUnion(stride(from: span.lowerBound, through: span.upperBound, by: step))
        }
        return values
    }

    /// The first time after `time` at which it is due, both in milliseconds since 1970; nil when there is none.
    public func next(after time: Int64) -> Int64? {
        let second = time.dividedDown(by: 1000) + 1
        let today = second.dividedDown(by: 86_400)
        let thisYear = CivilDate(day: today).year
        // The 29th of February falls on a given weekday once in 40 years, should a century be in between; and in 400 years
        // the calendar is the same again.
        let candidates = years.map { Array($0.drop { $0 < thisYear }.prefix(400)) } ?? Array(thisYear...thisYear + 41)
        for year in candidates {
            for day in max(today, CivilDate.newYear(year))..<CivilDate.newYear(year + 1) where isDay(day) {
                let earliest = day == today ? Int(second - today * 86_400) : 0
                guard let found = firstTime(from: earliest) else { continue }
                let (time, isOverflow) = (day * 86_400 + Int64(found)).multipliedReportingOverflow(by: 1000)
                return isOverflow ? nil : time
            }
        }
        return nil
    }

    private func isDay(_ day: Int64) -> Bool {
        let date = CivilDate(day: day)
        guard months.contains(date.month) else { return false }
        // 1 January 1970 was a Thursday.
        let isWeekday = weekdays.contains(Int((day % 7 + 11) % 7))
        let isDayOfMonth = days.contains(date.day)
        return anyDay || anyWeekday ? isDayOfMonth && isWeekday : isDayOfMonth || isWeekday
    }

    private func firstTime(from earliest: Int) -> Int? {
        for hour in hours where hour * 3600 + 3599 >= earliest {
            for minute in minutes where hour * 3600 + minute * 60 + 59 >= earliest {
                for second in seconds where hour * 3600 + minute * 60 + second >= earliest {
                    return hour * 3600 + minute * 60 + second
                }
            }
        }
        return nil
    }
}

/// A day of the Gregorian calendar. The arithmetic is that of Howard Hinnant's "chrono-Compatible Low-Level Date
/// Algorithms", `civil_from_days`.
private struct CivilDate {
    let year: Int
    let month: Int
    let day: Int

    /// - Parameter day: counted from 1 January 1970.
    init(day: Int64) {
        let shifted = day + 719_468
        let era = shifted.dividedDown(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        self.day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
        month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
        year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    }

    /// The first day of a year, counted from 1 January 1970.
    static func newYear(_ year: Int) -> Int64 {
        let past = Int64(year) - 1
        let leapDays = past.dividedDown(by: 4) - past.dividedDown(by: 100) + past.dividedDown(by: 400)
        return past * 365 + leapDays - 719_162
    }
}

extension Int64 {
    /// Rounded towards negative infinity.
    fileprivate func dividedDown(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
