import Foundation
import SchemaChange
import Testing

@testable import Backfill

@Suite("The settings of a throttle")
struct ThrottleSettingsTests {
    private func decode(_ json: String) throws -> ThrottleSettings {
        try JSONDecoder().decode(ThrottleSettings.self, from: Data(json.utf8))
    }

    private func flaw(_ json: String) -> String {
        do {
            _ = try decode(json)
            return "none"
        } catch DecodingError.dataCorrupted(let context) {
            return context.debugDescription
        } catch {
            return "\(error)"
        }
    }

    @Test("what is left out has a default, and Off is none")
    func defaults() throws {
        let rules = ThrottleRules(try decode("{}"))
        #expect(rules.maxReplicationLag == .seconds(10))
        #expect(rules.maxReplicationLagBytes == 1 << 30)
        #expect(rules.maxSlotWAL == 16 << 30)
        #expect(rules.maxArchiveBacklog == 1 << 30)
        #expect(rules.maxBlocked == .milliseconds(100))
        #expect(rules.maxTransactionAge == .seconds(3600))
        #expect(rules.maxSnapshotAge == 50_000_000)
        #expect(rules.maxDeadRows == 150)
        #expect(rules.autovacuum == .wraparound)
        #expect(rules.serverWorkers == 4)
        #expect(rules.share == 1)
        let off = ThrottleRules(
            try decode(#"{"maxReplicationLag":"Off","maxSlotWAL":"Off","maxDeadRows":"Off","maxSnapshotAge":"Off"}"#))
        #expect(off.maxReplicationLag == nil && off.maxSlotWAL == nil && off.maxDeadRows == nil)
        #expect(off.maxSnapshotAge == nil && off.maxArchiveBacklog != nil)
    }

    @Test("comes back as it was written")
    func roundTrip() throws {
        let json = #"""
            {"disk":{"minFree":"20Gi","query":"SELECT 1"},"maxBlocked":"200ms","maxDeadRows":50,"maxReplicationLag":"Off",\#
            "maxSlotWAL":"512Mi","windows":[{"days":["Fri","Sat"],"from":"22:00","timeZone":"Europe/Berlin","to":"24:00"}]}
            """#
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        #expect(String(decoding: try encoder.encode(try decode(json)), as: UTF8.self) == json)
    }

    @Test(
        "says what is wrong, and how it is written",
        arguments: [
            (#"{"maxReplicationLag":"soon"}"#, "\"soon\" is not a length of time"),
            (#"{"maxSlotWAL":"16 GB"}"#, "\"16 GB\" is not a number of bytes; write it like 512Mi or 16Gi"),
            (#"{"windows":[{"from":"8:00","to":"12:00"}]}"#, "\"8:00\" is not a time of day; write it like 22:30"),
            (#"{"windows":[{"from":"08:00","to":"24:01"}]}"#, "\"24:01\" is not a time of day"),
        ])
    func bad(_ json: String, _ expected: String) {
        #expect(flaw(json).contains(expected), "\(flaw(json))")
    }

    @Test("bytes are read as Kubernetes writes them")
    func bytes() {
        #expect(SpecByteCount("1048576")?.bytes == 1 << 20)
        #expect(SpecByteCount("1.5Gi")?.bytes == 3 << 29)
        #expect(SpecByteCount("2k")?.bytes == 2000)
        #expect(SpecByteCount("5e3") == nil && SpecByteCount("") == nil && SpecByteCount("-1") == nil)
        #expect(SpecByteCount("9000000P") == nil)
        #expect(SpecByteCount(3 << 29).rounded == "1.5 GiB")
        #expect(SpecByteCount(1 << 30).description == "1Gi" && SpecByteCount(1000).description == "1000")
    }

    @Test("a window may go over midnight, and then is of the day on which it began")
    func windows() throws {
        let from = try #require(TimeOfDay("22:00"))
        let to = try #require(TimeOfDay("06:00"))
        let night = TimeWindow(days: [.friday], from: from, to: to)
        #expect(night.contains(weekday: 4, minute: 23 * 60))
        #expect(night.contains(weekday: 5, minute: 5 * 60 + 59))
        #expect(!night.contains(weekday: 5, minute: 6 * 60))
        #expect(!night.contains(weekday: 4, minute: 5 * 60))
        #expect(!night.contains(weekday: 3, minute: 23 * 60))
        let sunday = TimeWindow(days: [.sunday], from: from, to: to)
        #expect(sunday.contains(weekday: 0, minute: 60))
        let day = TimeWindow(from: to, to: from)
        #expect(day.contains(weekday: 0, minute: 360) && !day.contains(weekday: 0, minute: 1320))
    }
}
