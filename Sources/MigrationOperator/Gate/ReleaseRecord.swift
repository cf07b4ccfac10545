internal import Foundation

/// The templates of a workload that were let through, each with the plans that it was let through for: kept in an
/// annotation, so that a release holds for pods that are rescheduled, and across a restart of the operator.
struct ReleaseRecord: Hashable, Sendable {
    struct Entry: Codable, Hashable, Sendable {
        /// The template's hash.
        var template: String
        /// Migration to plan hash.
        var plans: [String: String]
        /// Why it was let through without proof.
        var bypass: String?
    }

    /// As many as a Deployment keeps old ReplicaSets, and a StatefulSet revisions.
    static let limit = 10

    private(set) var entries: [Entry] = []

    init() {}

    /// What cannot be read counts as nothing released.
    init(annotation: String?) {
        guard let annotation else { return }
        entries = (try? JSONDecoder().decode([Entry].self, from: Data(annotation.utf8))) ?? []
    }

    /// Nil when there is nothing to keep. The same entries are always the same text.
    var annotation: String? {
        guard !entries.isEmpty else { return nil }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(entries)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether `template` was let through for the plans that are known now. A plan that is not known takes nothing back.
    func covers(_ template: String, plans: [String: String]) -> Bool {
        entries.contains { entry in
            entry.template == template
                && (entry.bypass != nil
                    || plans.allSatisfy { name, hash in entry.plans[name].map { $0 == hash } ?? false })
        }
    }

    /// What stays of it while `template` is there, which requires these migrations to be verified: its own release, and those
    /// that were for no others. Only what a workload requires at present is kept from going back, so a template that comes
    /// again later has to be let through anew.
    func kept(by template: String, requiring migrations: [String]) -> ReleaseRecord {
        var kept = self
        kept.entries.removeAll { entry in
            entry.template != template && (entry.bypass != nil || !entry.plans.keys.allSatisfy(migrations.contains))
        }
        return kept
    }

    func bypassed(_ template: String, for reason: String) -> Bool {
        entries.contains { $0.template == template && $0.bypass == reason }
    }

    mutating func add(_ entry: Entry) {
        entries.removeAll { $0.template == entry.template }
        entries.insert(entry, at: 0)
        entries = Array(entries.prefix(Self.limit))
    }
}
