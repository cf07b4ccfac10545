internal import Foundation
internal import KubernetesClient
internal import MigrationEngine
internal import SchemaChange

/// What is said of a Migration: its status, and the events that tell how it came to it.
extension Reconciliation {
    /// Writes the status that fits, if it differs from what is there and is not too soon.
    func tell(_ situation: Situation) -> [Action] {
        let status = status(situation)
        let before = migration.status
        switch StatusThrottle.decide(from: before, to: status, lastWrite: observed.lastStatusWrite, now: observed.now) {
        case .unchanged:
            return []
        case .later(let wait):
            return [.requeue(after: wait)]
        case .write:
            return [.writeStatus(status)] + MigrationStory.events(from: before, to: status).map { .event($0) }
        }
    }

    func status(_ situation: Situation) -> MigrationStatus {
        var facts =
            known.map { Facts($0, from: source(of: $0), proofFailure: proofFailure, before: migration.status) }
            ?? Facts(carriedFrom: migration.status, isOfPresentSpec: isStatusOfPresentSpec)
        if isUnknownToDatabase { facts.proof = .broken(Self.unknownMessage) }
        var status = MigrationStatus(observedGeneration: migration.generation)
        status.phase = facts.phase
        status.step = step(situation, facts)
        status.progress = facts.progress
        status.verification = facts.verification
        status.promise = facts.promise
        status.planHash = facts.planHash
        status.specHash = specHash(facts)
        status.plan = facts.plan
        status.reversibleUntil = facts.reversibleUntil
        let summary = Summary(
            situation: situation, facts: facts, target: target, writer: migration.spec?.writer ?? .database,
            isBeingDeleted: migration.metadata.isBeingDeleted)
        status.gate = summary.isGateOpen ? .open : .closed
        status.conditions = MigrationCondition.allCases.map { type in
            condition(type, summary.finding(type))
        }
        return status
    }

    private func step(_ situation: Situation, _ facts: Facts) -> String {
        switch situation {
        case .invalid: "InvalidSpec"
        case .suspended: "Suspended"
        case .waitingForDependencies: "WaitingForDependencies"
        case .databaseUnavailable: "WaitingForDatabase"
        case .proofBroken: "ProofBroken"
        case .reached: facts.phase.rawValue
        case .waiting(let reason, _): CamelCase.word(reason, else: "Waiting")
        case .stalled(let reason, _): CamelCase.word(reason, else: "Stalled")
        case .working: known == nil ? Situation.starting : facts.step
        }
    }

    private func condition(_ type: MigrationCondition, _ finding: Summary.Finding) -> Condition {
        let before = migration.status?.condition(type)
        let since =
            before?.status == finding.status
            ? before?.lastTransitionTime
            : Timestamp(Date(timeIntervalSince1970: observed.now.timeIntervalSince1970.rounded(.down)))
        let reason = CamelCase.word(finding.reason, else: "Unknown")
        // Server-side apply of Kubernetes 1.20 makes null of an empty text, which the schema then refuses.
        let message = finding.message.isEmpty ? reason : String(finding.message.prefix(4096))
        return Condition(
            type: type.rawValue, status: finding.status, reason: reason, message: message, lastTransitionTime: since,
            observedGeneration: migration.generation)
    }
}

/// What conditions take as a reason.
enum CamelCase {
    static func word(_ text: String, else fallback: String) -> String {
        let fits =
            text.first?.isLetter == true
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: false
                }
            }
        return fits ? text : fallback
    }
}
