import Foundation
import KubernetesClient
import MigrationOperator
import TestSupport
import Testing

/// What a policy makes of requests, by the C++ implementation of CEL: the tests' API server has none.
private struct Policy {
    struct Answer: Decodable {
        var matches: Bool
        var patch: [JSONValue]
        var denied: [String]
    }

    let name: String

    func answers(_ requests: [GatedRequest], params: JSONValue = .null) async throws -> [Answer] {
        let folder = try TestServers.scripts + "/.."
        let output = try await Program.output(
            folder + "/scripts/manifests", ["evaluate", "\(folder)/manifests/policies/\(name).yaml"],
            input: JSONValue.array(requests.map { $0.review(params: params) }).text, within: .seconds(300))
        return try JSONValue(parsing: output).decode([Answer].self)
    }
}

@Suite("The admission policies")
struct PolicyTests {
    @Test("sluice-hold does what the webhook does, to each kind and in each situation")
    func holdsAsTheWebhook() async throws {
        let requests = GatedRequest.all
        let answers = try await Policy(name: "hold").answers(requests)
        var held = 0, givenUp = 0
        for (request, answer) in zip(requests, answers) {
            let decision = decideAdmission(request.admission, operator: GatedRequest.operatorAccount)
            #expect(answer.patch == decision.patch(of: request.object), "\(request)")
            if case .hold = decision { held += 1 }
            if case .giveUp = decision { givenUp += 1 }
        }
        // Or nothing was compared.
        #expect(held > 100 && givenUp > 10 && held + givenUp < requests.count / 2)
    }

    @Test("what sluice-hold stored, sluice-guard takes, and it refuses what was to be held and is not")
    func guards() async throws {
        let requests = GatedRequest.all
        let holds = try await Policy(name: "hold").answers(requests)
        let raw = try await Policy(name: "guard").answers(requests)
        var refused = 0
        for ((request, hold), answer) in zip(zip(requests, holds), raw) {
            let isHeldByPolicy = hold.patch.count > 1
            // An unpaused workload that begins a rollout is refused; the gate itself is told by its account here.
            // The end of our own hold is the gate's to write, also by an open stamp: sluice-hold alone sees to that.
            let isStampedOpen = request.stamp == "open" && !request.isChanged
            if isHeldByPolicy, !request.isByOperator, !isStampedOpen {
                #expect(!answer.denied.isEmpty, "\(request)")
                refused += 1
            }
            if request.isByOperator { #expect(answer.denied.isEmpty, "\(request)") }
        }
        #expect(refused > 100)
        let mutated = zip(requests, holds).map { $0.patched(by: $1.patch) }
        for (request, answer) in zip(mutated, try await Policy(name: "guard").answers(mutated)) {
            #expect(answer.denied.allSatisfy { $0.contains("its pause ends") }, "\(request)")
        }
    }

    struct Guarded: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let change: @Sendable (inout GatedRequest) -> Void
        let refusal: String?
    }

    static let guarded: [Guarded] = [
        .init(
            testDescription: "a person's pause ends while the gate is closed", change: { $0.stamp = "closed" },
            refusal: "its pause ends"),
        .init(
            testDescription: "a person's pause ends before the operator has looked", change: { _ in },
            refusal: "its pause ends"),
        .init(
            testDescription: "a person's pause ends while the gate is open", change: { $0.stamp = "open" }, refusal: nil
        ),
        .init(
            testDescription: "a person writes the stamp",
            change: {
                $0.stamp = "closed"; $0.newStamp = "open"; $0.isPaused = true
            }, refusal: "are the operator's"),
        .init(
            testDescription: "a person takes the stamp away",
            change: {
                $0.stamp = "closed"; $0.newStamp = .some(nil); $0.isPaused = true
            }, refusal: nil),
        .init(
            testDescription: "the operator stamps and releases",
            change: {
                $0.stamp = "closed"; $0.newStamp = "open"; $0.user = GatedRequest.operatorAccount
            }, refusal: nil),
        .init(
            testDescription: "somebody says to be the operator's field manager",
            change: {
                $0.manager = "sluice-hold"; $0.stamp = "closed"
            }, refusal: "its pause ends"),
        .init(testDescription: "a bypass", change: { $0.bypass = "incident 12" }, refusal: nil),
        .init(testDescription: "a template that requires nothing", change: { $0.requires = nil }, refusal: nil),
    ]

    @Test("sluice-guard lets a pause end by the operator's stamp only, which nobody else writes", arguments: guarded)
    func guardsThePause(_ one: Guarded) async throws {
        let requests = GatedRequest.kinds.map { kind in
            var request = GatedRequest(kind: kind, isUpdate: true, isPaused: false, wasPaused: true)
            one.change(&request)
            return request
        }
        for (request, answer) in zip(requests, try await Policy(name: "guard").answers(requests)) {
            if let refusal = one.refusal {
                #expect(
                    answer.denied.count == 1 && answer.denied.allSatisfy { $0.contains(refusal) },
                    "\(request.kind): \(answer.denied)")
            } else {
                #expect(answer.denied == [], "\(request.kind)")
            }
        }
    }

    struct Closed: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let requires: String
        let conditions: [String]
        var observed = 3
        var isRefused: Bool
    }

    static let closed: [Closed] = [
        .init(
            testDescription: "verified", requires: "other, split", conditions: ["GateOpen", "Verified"],
            isRefused: false),
        .init(testDescription: "not verified", requires: "other,split", conditions: ["Expanded"], isRefused: true),
        .init(
            testDescription: "verified, but for an older spec", requires: "split",
            conditions: ["GateOpen", "Verified"], observed: 2, isRefused: true),
        .init(
            testDescription: "the gate was closed again", requires: "split", conditions: ["Verified"], isRefused: true),
        .init(
            testDescription: "its columns are there", requires: "split @ Expand", conditions: ["Expanded"],
            isRefused: false),
        .init(testDescription: "its columns are not there", requires: "split@Expand", conditions: [], isRefused: true),
        .init(
            testDescription: "asks for what means nothing", requires: "split@Soon",
            conditions: ["GateOpen", "Verified"], isRefused: true),
        .init(
            testDescription: "a Migration that is not asked for", requires: "splitter, split-2", conditions: [],
            isRefused: false),
        .init(
            testDescription: "both levels of one", requires: "split@Expand, split", conditions: ["Expanded"],
            isRefused: true),
    ]

    @Test("sluice-refuse-closed refuses a new template while the Migration that it names is closed", arguments: closed)
    func refusesClosed(_ one: Closed) async throws {
        let migration: JSONValue = [
            "metadata": ["name": "split", "generation": 3],
            "status": [
                "observedGeneration": .int(Int64(one.observed)),
                "conditions": .array(
                    one.conditions.map {
                        ["type": .string($0), "status": "True", "observedGeneration": .int(Int64(one.observed))]
                    } + [["type": "Ready", "status": "False", "observedGeneration": 3]]),
            ],
        ]
        for kind in ["StatefulSet", "CronJob"] {
            var request = GatedRequest(kind: kind, isUpdate: true, isChanged: true)
            request.requires = one.requires
            var same = request, paused = request, bypassed = request, gate = request, made = request
            same.isChanged = false
            paused.isPaused = true
            bypassed.bypass = "incident 12"
            gate.user = GatedRequest.operatorAccount
            made.isUpdate = false
            let requests = [request, made, same, paused, bypassed, gate]
            let answers = try await Policy(name: "refuse-closed").answers(requests, params: migration)
            let isRefused = one.isRefused
            #expect(
                answers.map { !$0.denied.isEmpty } == [isRefused, isRefused, false, false, false, false], "\(kind)")
        }
    }

    @Test("sluice-refuse-closed refuses while the operator has not seen the Migration")
    func refusesUnseen() async throws {
        let unseen: JSONValue = ["metadata": ["name": "split", "generation": 1], "status": ["observedGeneration": -1]]
        var request = GatedRequest(kind: "Deployment", isUpdate: false)
        request.requires = "split"
        for status in [unseen, ["metadata": ["name": "split", "generation": 1]]] {
            let answer = try await Policy(name: "refuse-closed").answers([request], params: status)
            #expect(answer.first?.denied.isEmpty == false)
        }
    }

    @Test("each policy is as its kind's schema says, and what they share is the same in each")
    func schemas() async throws {
        var shared: [String: Set<String>] = [:]
        for (name, version) in [("hold", "1.36"), ("guard", "1.30"), ("refuse-closed", "1.30")] {
            let path = try TestServers.scripts + "/../manifests/policies/\(name).yaml"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(try await Chart.findings(text, kubernetes: version) == "", "\(name)")
            let policy = try #require(try Chart.objects(in: text).first)
            #expect(policy.json[path: "spec", "failurePolicy"] == "Fail")
            for list in ["matchConditions", "variables"] {
                for entry in policy.json[path: "spec", list]?.array ?? [] {
                    shared[entry["name"]?.string ?? "", default: []].insert(entry["expression"]?.string ?? "")
                }
            }
        }
        #expect(
            shared.count > 8 && shared.allSatisfy { $0.value.count == 1 },
            "\(shared.filter { $0.value.count > 1 }.keys)")
    }
}
