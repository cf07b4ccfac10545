internal import Crypto
internal import Foundation

/// The `application_name` of a worker's sessions: `sluice/w/<migration>/<epoch>`, by which whoever takes over finds them.
enum WorkerName {
    static func of(_ migration: String, epoch: Int64) -> String {
        prefix(migration) + String(epoch)
    }

    /// For `LIKE`: of every migration's workers.
    static let anyPattern = "sluice/w/%"

    /// For `LIKE`.
    static func pattern(of migration: String) -> String {
        prefix(migration) + "%"
    }

    /// An `application_name` has 63 bytes, a migration's name may have more: so a digest of it.
    private static func prefix(_ migration: String) -> String {
        let digest = SHA256.hash(data: Data(migration.utf8)).prefix(6).map { String(format: "%02x", $0) }.joined()
        return "sluice/w/\(digest)/"
    }
}
