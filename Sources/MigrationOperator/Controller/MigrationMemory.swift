internal import Foundation
internal import KubernetesClient
internal import Synchronization

/// What an operator process remembers of each Migration between two looks. Losing it costs reads, nothing else.
final class MigrationMemory: Sendable {
    struct Entry: Sendable, Hashable {
        var uid: String?
        var ledger: LedgerReading = .unread
        var ledgerReadAt: Date?
        var proof: ProofReading?
        var failure: DatabaseFailure?
        var lastStatusWrite: Date?
        var namespaceIsTerminating = false
    }

    private let entries = Mutex<[ObjectKey: Entry]>([:])

    /// Of another object under the same name nothing is remembered.
    subscript(migration: Migration) -> Entry {
        let entry = entries.withLock { $0[migration.key] }
        guard let entry, entry.uid == migration.metadata.uid else { return Entry(uid: migration.metadata.uid) }
        return entry
    }

    func change(_ migration: Migration, _ body: (inout Entry) -> Void) {
        var entry = self[migration]
        body(&entry)
        entries.withLock { $0[migration.key] = entry }
    }

    func forget(_ key: ObjectKey) {
        entries.withLock { $0[key] = nil }
    }
}
