import Foundation
import Testing

@testable import MigrationEngine
@testable import SchemaChange

/// A plan with two steps of each phase but one of DualWrite, whose names say what they are.
enum Sketch {
    static func step(_ id: String, _ phase: Phase, _ action: Step.Action = .statements(apply: ["A"], revert: ["R"]))
        -> Step
    {
        Step(id: id, phase: phase, title: id, action: action)
    }

    static let plan = plan([
        step("e1", .expand), step("e2", .expand), step("d", .dualWrite),
        step("fill", .backfill, .backfill(mapping: 0)), step("analyze", .backfill),
        step("verify", .backfill, .verify), step("null", .backfill), step("c1", .contract), step("c2", .contract),
    ])

    static func plan(_ steps: [Step]) -> Plan {
        Plan(
            hash: "sha256:0123",
            changes: [],
            mappings: [],
            steps: steps,
            purge: [],
            repair: nil,
            wayBack: nil,
            known: nil,
            guardedTables: [],
            tokens: [],
            tables: [],
            writes: [],
            touches: []
        )
    }

    static let order = plan.steps.map(\.id)

    /// The steps up to and with that one.
    static func through(_ last: String) -> Set<String> {
        Set(order.prefix(order.firstIndex(of: last)! + 1))
    }

    /// `+e1` is applied, `-e1` undone, `=Expand` reached.
    static func route(_ applied: Set<String>, _ phase: Phase, to target: Phase, of plan: Plan = plan) -> [String] {
        Move.route(of: plan, applied: applied, phase: phase, to: target).map { move in
            switch move {
            case .apply(let step): "+\(step.id)"
            case .revert(let step): "-\(step.id)"
            case .forget(let step): "~\(step.id)"
            case .repair(let step): "!\(step.id)"
            case .arrive(let phase): "=\(phase.rawValue)"
            }
        }
    }
}

@Suite("the route of a walk")
struct RouteTests {
    private func route(_ applied: Set<String>, _ phase: Phase, to target: Phase) -> String {
        Sketch.route(applied, phase, to: target).joined(separator: " ")
    }

    private static let all = "+e1 +e2 =Expand +d =DualWrite +fill +analyze +verify +null =Backfill +c1 +c2 =Contract"

    @Test("forwards it does each step and says when a phase is complete")
    func forwards() {
        #expect(route([], .initial, to: .contract) == Self.all)
        #expect(route([], .initial, to: .expand) == "+e1 +e2 =Expand")
        #expect(
            route(Sketch.through("e2"), .expand, to: .backfill)
                == "+d =DualWrite +fill +analyze +verify +null =Backfill")
    }

    @Test("where it is already, there is nothing to do")
    func atRest() {
        let rests: [(Set<String>, Phase)] = [
            ([], .initial), (Sketch.through("e2"), .expand), (Sketch.through("d"), .dualWrite),
            (Sketch.through("null"), .backfill), (Sketch.through("c2"), .contract),
        ]
        for (applied, phase) in rests { #expect(route(applied, phase, to: phase) == "") }
    }

    @Test(
        "killed after any step on the way forwards, it goes on with the next",
        arguments: Sketch.order.indices
    )
    func resumedForwards(index: Int) {
        let applied = Set(Sketch.order.prefix(index + 1))
        let phases: [Phase] = [
            .initial, .expand, .expand, .dualWrite, .dualWrite, .dualWrite, .dualWrite, .backfill, .backfill,
        ]
        let rest = Sketch.route(applied, phases[index], to: .contract)
        #expect(rest.first { $0.hasPrefix("+") } == Sketch.order.dropFirst(index + 1).first.map { "+\($0)" })
        #expect(!rest.contains { $0.hasPrefix("-") })
        #expect(rest.last == "=Contract")
    }

    @Test(
        "backwards it undoes what is in force, last in first out",
        arguments: [
            ("e2", .expand, .initial, "-e2 -e1 =Initial"),
            ("d", .dualWrite, .initial, "-d =Expand -e2 -e1 =Initial"),
            ("null", .backfill, .dualWrite, "-null -verify -analyze -fill =DualWrite"),
            ("null", .backfill, .expand, "-null -verify -analyze -fill =DualWrite -d =Expand"),
            ("null", .backfill, .initial, "-null -verify -analyze -fill =DualWrite -d =Expand -e2 -e1 =Initial"),
        ] as [(String, Phase, Phase, String)]
    )
    func backwards(last: String, phase: Phase, target: Phase, moves: String) {
        #expect(route(Sketch.through(last), phase, to: target) == moves)
    }

    @Test("who comes back from Contract proves again what the archive kept")
    func backFromContract() {
        let all = Sketch.through("c2")
        #expect(route(all, .contract, to: .backfill) == "-verify -fill -c2 -c1 =DualWrite +fill +verify =Backfill")
        #expect(
            route(all, .contract, to: .initial)
                == "-verify -fill -c2 -c1 =DualWrite -null -analyze -d =Expand -e2 -e1 =Initial"
        )
    }

    @Test("nor is Backfill said to be complete when Contract had only begun")
    func halfContracted() {
        #expect(
            route(Sketch.through("c1"), .backfill, to: .backfill)
                == "-verify -fill -c1 =DualWrite +fill +verify =Backfill"
        )
        #expect(route(Sketch.through("c1"), .backfill, to: .contract) == "+c2 =Contract")
    }

    @Test("a phase that was half done is undone without its being reached")
    func halfDone() {
        #expect(route(["e1"], .initial, to: .initial) == "-e1")
        #expect(route(Sketch.through("fill"), .dualWrite, to: .expand) == "-fill -d =Expand")
        #expect(route(Sketch.through("fill"), .dualWrite, to: .dualWrite) == "-fill")
    }

    @Test("killed on the way back, it goes on backwards, or turns round")
    func resumedBackwards() {
        let half = Sketch.through("null").subtracting(["null", "verify"])
        #expect(route(half, .backfill, to: .expand) == "-analyze -fill =DualWrite -d =Expand")
        #expect(route(half, .backfill, to: .backfill) == "+verify +null")
        let expand = Sketch.through("e1")
        #expect(route(expand, .expand, to: .initial) == "-e1 =Initial")
        #expect(route(expand, .expand, to: .expand) == "+e2")
        let archive = Sketch.through("c1").subtracting(["verify", "fill"])
        #expect(route(archive, .contract, to: .backfill) == "-c1 =DualWrite +fill +verify =Backfill")
        #expect(route(archive, .contract, to: .contract) == "-c1 =DualWrite +fill +verify =Backfill +c1 +c2 =Contract")
        let undone = Sketch.through("null").subtracting(["verify", "fill"])
        #expect(route(undone, .contract, to: .backfill) == "=DualWrite +fill +verify =Backfill")
        #expect(route(undone, .contract, to: .initial) == "=DualWrite -null -analyze -d =Expand -e2 -e1 =Initial")
    }

    @Test("what goes with Contract is undone after it, and made again on the way to the proof")
    func goesWithContract() {
        let plan = Sketch.plan([
            Sketch.step("e", .expand),
            Step(
                id: "key", phase: .backfill, title: "key", action: .concurrently(apply: [], revert: []),
                goesWithContract: true),
            Sketch.step("verify", .backfill, .verify), Sketch.step("c", .contract),
        ])
        let back = Sketch.route(["e", "key", "verify", "c"], .contract, to: .backfill, of: plan)
        #expect(back == ["-verify", "-c", "-key", "=DualWrite", "+key", "+verify", "=Backfill"])
        // Killed in between, it goes on.
        #expect(
            Sketch.route(["e", "key"], .contract, to: .contract, of: plan)
                == ["-key", "=DualWrite", "+key", "+verify", "=Backfill", "+c", "=Contract"])
        // Where Contract was not begun, it is a step like any other.
        #expect(
            Sketch.route(["e", "key", "verify"], .backfill, to: .dualWrite, of: plan)
                == ["-verify", "-key", "=DualWrite"])
        #expect(Sketch.route(["e", "key", "verify"], .backfill, to: .backfill, of: plan) == [])
    }

    @Test("what is for the way back alone comes first there, and only if there is something to bring back")
    func undoneBefore() {
        let plan = Sketch.plan([
            Sketch.step("e", .expand), Sketch.step("verify", .backfill, .verify),
            Step(
                id: "restore", phase: .contract, title: "", action: .statements(apply: [], revert: ["R"]),
                undoneBefore: ["archive"]),
            Sketch.step("unlink", .contract), Sketch.step("archive", .contract), Sketch.step("link", .contract),
        ])
        #expect(
            Sketch.route(["e", "verify"], .backfill, to: .contract, of: plan)
                == ["+restore", "+unlink", "+archive", "+link", "=Contract"])
        let whole: Set = ["e", "verify", "restore", "unlink", "archive", "link"]
        #expect(
            Sketch.route(whole, .contract, to: .expand, of: plan)
                == ["-verify", "-restore", "-link", "-archive", "-unlink", "=DualWrite", "=Expand"])
        #expect(
            Sketch.route(whole.subtracting(["link"]), .backfill, to: .expand, of: plan).prefix(4)
                == ["-verify", "-restore", "-archive", "-unlink"])
        #expect(
            Sketch.route(whole.subtracting(["link", "archive"]), .backfill, to: .expand, of: plan).prefix(3)
                == ["-verify", "~restore", "-unlink"])
    }

    @Test("wherever a walk is killed and whichever way it turns then, it ends with what its phase needs, and no more")
    func everywhere() {
        for start in Phase.allCases {
            for turn in Phase.allCases {
                for target in Phase.allCases {
                    let (first, phase) = Self.end(of: [], .initial, to: start, after: .max)
                    let moves = Sketch.route(first, phase, to: turn)
                    for count in 0...moves.count {
                        let (applied, reached) = Self.end(of: first, phase, to: turn, after: count)
                        let (last, at) = Self.end(of: applied, reached, to: target, after: .max)
                        #expect(at == target)
                        #expect(last == Set(Sketch.plan.steps.filter { $0.phase <= target }.map(\.id)))
                    }
                }
            }
        }
    }

    private static func end(
        of applied: Set<String>,
        _ phase: Phase,
        to target: Phase,
        after count: Int
    ) -> (Set<String>, Phase) {
        var applied = applied
        var phase = phase
        for move in Move.route(of: Sketch.plan, applied: applied, phase: phase, to: target).prefix(count) {
            switch move {
            case .apply(let step):
                #expect(
                    step.isProof == false || applied.isDisjoint(with: ["c1", "c2"]),
                    "the old columns are in the archive")
                applied.insert(step.id)
            case .revert(let step), .forget(let step): applied.remove(step.id)
            case .repair: break
            case .arrive(let reached): phase = reached
            }
        }
        return (applied, phase)
    }
}
