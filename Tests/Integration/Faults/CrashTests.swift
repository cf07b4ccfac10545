import Foundation
import TestSupport
import Testing

@Suite("The operator crashes after a single action")
struct CrashTests {
    /// Some lives that end early, one after the other, and one that goes on. A seed says where.
    @Test(
        "and whatever it had done last, the story ends as if it had not",
        .timeLimit(.minutes(10)), arguments: TestServers.isSoak ? Array(1...40) : [1, 2, 3])
    func crashes(seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        let deaths = (0..<6).map { _ in
            EffectLog.Death(
                effect: Int.random(in: 1...24, using: &random),
                moment: Bool.random(using: &random) ? .answered : .unanswered)
        }
        try await check(deaths)
    }

    /// Each effect of the whole story, by itself.
    @Test("at each of them, in the long form", .enabled(if: TestServers.isSoak), .timeLimit(.minutes(120)))
    func each() async throws {
        let count = try await Self.undisturbed.value.lives.joined().count
        for effect in 1...count {
            for moment in [EffectLog.Death.Moment.unanswered, .answered] {
                try await check([EffectLog.Death(effect: effect, moment: moment)])
            }
        }
    }

    private func check(_ deaths: [EffectLog.Death]) async throws {
        let undisturbed = try await Self.undisturbed.value
        #expect(undisturbed.violations == [])
        let outcome = try await CrashStory(deaths: deaths).play()
        let story = "\(deaths): \(outcome.lives.map { "\($0.count) until \($0.last ?? "nothing")" })"
        #expect(outcome.end.differences(from: undisturbed.end) == [], "\(story)")
        #expect(outcome.violations == [], "\(story)")
    }

    /// What all are compared with: once for all of them.
    private static let undisturbed = Task { try await CrashStory().play() }
}
