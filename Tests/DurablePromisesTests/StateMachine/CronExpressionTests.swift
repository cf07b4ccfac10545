import Foundation
import TestSupport
import Testing

@testable import DurablePromises

@Suite("cron expressions")
struct CronExpressionTests {
    private static func time(_ text: String) -> Int64 {
        let formatter = ISO8601DateFormatter()
        return formatter.date(from: text + "Z").map { Int64($0.timeIntervalSince1970) * 1000 }!
    }

    @Test(
        "come next",
        arguments: [
            ("* * * * *", "2026-01-01T00:00:00", "2026-01-01T00:01:00"),
            ("* * * * *", "2026-01-01T00:00:59", "2026-01-01T00:01:00"),
            ("*/15 * * * *", "2026-01-01T00:44:00", "2026-01-01T00:45:00"),
            ("*/7 * * * *", "2026-01-01T00:56:00", "2026-01-01T01:00:00"),
            ("30 4 1,15 * 5", "2026-11-01T05:00:00", "2026-11-06T04:30:00"),
            ("30 4 1,15 * 5", "2026-11-14T00:00:00", "2026-11-15T04:30:00"),
            ("0 0 29 2 *", "2026-01-01T00:00:00", "2028-02-29T00:00:00"),
            ("0 0 29 2 *", "2096-02-29T00:00:00", "2104-02-29T00:00:00"),
            ("0 0 31 * *", "2026-01-31T00:00:00", "2026-03-31T00:00:00"),
            ("0 0 * 2 7", "2026-02-28T12:00:00", "2027-02-07T00:00:00"),
            ("0 0 * * 0", "2026-01-01T00:00:00", "2026-01-04T00:00:00"),
            ("0 0 * * SUN", "2026-01-01T00:00:00", "2026-01-04T00:00:00"),
            ("0 0 * * mon-fri", "2026-01-02T00:00:00", "2026-01-05T00:00:00"),
            ("0 12 ? JAN,jul ?", "2026-01-31T12:00:00", "2026-07-01T12:00:00"),
            ("59 59 23 31 12 ? 2026", "2026-01-01T00:00:00", "2026-12-31T23:59:59"),
            ("*/20 * * * * *", "2026-01-01T00:00:00", "2026-01-01T00:00:20"),
            ("0 0 0 1 1 ? 2027-2030/3", "2027-06-01T00:00:00", "2030-01-01T00:00:00"),
            ("0 0 0 1 1 ? */2", "2026-06-01T00:00:00", "2028-01-01T00:00:00"),
            ("0 0 0 1 1 ? 2120", "2026-06-01T00:00:00", "2120-01-01T00:00:00"),
            ("5/10 * * * *", "2026-01-01T00:06:00", "2026-01-01T00:15:00"),
            ("10-20/5 * * * *", "2026-01-01T00:11:00", "2026-01-01T00:15:00"),
            ("0 0 1 1 *", "1969-06-01T00:00:00", "1970-01-01T00:00:00"),
            ("0 0 1 1 *", "1900-01-01T00:00:00", "1901-01-01T00:00:00"),
        ])
    func next(cron: String, after: String, expected: String) throws {
        let expression = try #require(CronExpression(cron))
        #expect(expression.next(after: Self.time(after)) == Self.time(expected))
        // A tick at a given time is not after it; one millisecond before, it is.
        #expect(expression.next(after: Self.time(expected) - 1) == Self.time(expected))
        #expect(expression.next(after: Self.time(after) + 999) == Self.time(expected))
    }

    @Test(
        "that are none are refused",
        arguments: [
            "", " ", "* * * *", "* * * * * * * *", "60 * * * *", "-1 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *",
            "* * * 0 *", "* * * 13 *", "* * * * 8", "a * * * *", "* * * FOO *", "* * MON * *", "1- * * * *",
            "-5 * * * *",
            "5-1 * * * *", "1-2-3 * * * *", "*/0 * * * *", "*/-1 * * * *", "*/ * * * *", "1/2/3 * * * *", ", * * * *",
            "1, * * * *", "1,,2 * * * *", "** * * * *", "*5 * * * *", "+5 * * * *", "*/+5 * * * *", "1.5 * * * *",
            "0 0 0 1 1 ? 1969", "0 0 0 1 1 ? 10000", "60 * * * * *", "@daily", "١ * * * *", "1\0 * * * *",
        ])
    func nonsense(cron: String) {
        #expect(CronExpression(cron) == nil)
    }

    @Test("that never come have no next, and neither have those beyond the end of time")
    func never() throws {
        for cron in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 0 1 1 ? 1999"] {
            #expect(try #require(CronExpression(cron)).next(after: Self.time("2026-01-01T00:00:00")) == nil, "\(cron)")
        }
        let always = try #require(CronExpression("* * * * *"))
        for time in [0, 1, 55_000].map({ Int64.max - $0 }) { #expect(always.next(after: time) == nil) }
        #expect(always.next(after: .min) != nil)
        #expect(try #require(CronExpression("1/9223372036854775807 * * * *")).next(after: 0) == 60_000)
    }

    // MARK: The judge

    /// Whether an expression is due at a second, by its text and Foundation's calendar: slowly.
    private struct Judge {
        let fields: [[Int]]
        let isAnyDay: Bool
        let isAnyWeekday: Bool

        func isDue(_ second: Int64, _ calendar: Calendar) -> Bool {
            let date = Date(timeIntervalSince1970: TimeInterval(second))
            let parts = calendar.dateComponents([.second, .minute, .hour, .day, .month, .weekday], from: date)
            let isDay = fields[3].contains(parts.day!)
            let isWeekday = fields[5].contains { $0 % 7 == parts.weekday! - 1 }
            return fields[0].contains(parts.second!) && fields[1].contains(parts.minute!)
                && fields[2].contains(parts.hour!) && fields[4].contains(parts.month!)
                && (isAnyDay || isAnyWeekday ? isDay && isWeekday : isDay || isWeekday)
        }
    }

    private static let calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(secondsFromGMT: 0)!
        return calendar
    }()

    /// A field, with all of its values.
    private static func field(_ range: ClosedRange<Int>, _ random: inout SplitMix) -> (text: String, values: [Int]) {
        let all = Array(range)
        let low = Int.random(in: range, using: &random)
        let high = Int.random(in: low...range.upperBound, using: &random)
        let step = Int.random(in: 1...max(1, range.count / 2), using: &random)
        switch Int.random(in: 0..<7, using: &random) {
        case 0, 1: return ("*", all)
        case 2: return ("*/\(step)", Array(stride(from: range.lowerBound, through: range.upperBound, by: step)))
        case 3: return ("\(low)-\(high)", Array(low...high))
        case 4: return ("\(low)-\(high)/\(step)", Array(stride(from: low, through: high, by: step)))
        case 5: return ("\(low)/\(step)", Array(stride(from: low, through: range.upperBound, by: step)))
        default: return ("\(high),\(low)", [low, high])
        }
    }

    @Test("come next when a judge who looks at every minute, or every second, says so", arguments: [false, true])
    func oracle(hasSeconds: Bool) throws {
        var random = SplitMix(seed: hasSeconds ? 11 : 12)
        for _ in 0..<(TestServers.isSoak ? 2000 : 60) {
            var fields = [0...59, 0...59, 0...23, 1...31, 1...12, 0...7].map { Self.field($0, &random) }
            if !hasSeconds { fields[0] = ("", [0]) }
            // The judge is slow: what it is asked for comes within days.
            if hasSeconds || Bool.random(using: &random) {
                fields[2] = ("*", Array(0...23))
                fields[4] = ("*", Array(1...12))
                fields[3] =
                    Bool.random(using: &random)
                    ? ("*", Array(1...31)) : ("*/2", Array(stride(from: 1, through: 31, by: 2)))
            }
            let judge = Judge(
                fields: fields.map(\.values), isAnyDay: fields[3].text.hasPrefix("*"),
                isAnyWeekday: fields[5].text.hasPrefix("*")
            )
            let text = fields.map(\.text).joined(separator: " ")
            let expression = try #require(CronExpression(text), "\(text)")
            let step: Int64 = hasSeconds ? 1 : 60
            let start = Int64.random(in: -2_000_000_000...7_000_000_000, using: &random)
            let found = expression.next(after: start * 1000 + Int64.random(in: 0...999, using: &random))
            // From the first whole step after the start until the answer, or as long as the judge may take.
            var second = start + 1
            second += (step - second % step) % step
            let limit = second + 60_000 * step
            while second < limit, !judge.isDue(second, Self.calendar) { second += step }
            if second < limit {
                #expect(found == second * 1000, "\(text) after \(start)")
            } else if let found {
                #expect(found >= limit * 1000, "\(text) after \(start)")
                #expect(judge.isDue(found / 1000, Self.calendar), "\(text) after \(start)")
            }
        }
    }

    @Test("come in every leap year, and in none that is none")
    func leapYears() throws {
        let expression = try #require(CronExpression("0 0 29 2 *"))
        var time = Self.time("1890-01-01T00:00:00")
        var years: [Int] = []
        while let next = expression.next(after: time), next < Self.time("2410-01-01T00:00:00") {
            let date = Date(timeIntervalSince1970: TimeInterval(next / 1000))
            let parts = Self.calendar.dateComponents([.year, .month, .day], from: date)
            #expect(parts.month == 2 && parts.day == 29)
            years.append(parts.year!)
            time = next
        }
        #expect(years == (1890..<2410).filter { $0 % 4 == 0 && ($0 % 100 != 0 || $0 % 400 == 0) })
    }
}
