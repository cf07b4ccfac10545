import Foundation
import TestSupport

/// The manifests that `sluice import` wrote into a folder, in the order of their names.
struct WrittenChain {
    let folder: String
    let files: [String]

    init(folder: String) throws {
        self.folder = folder
        files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    func attempt(_ file: String, to phase: String?, on url: String) async throws -> Program.Output {
        try await Program.run(
            TestServers.sluice,
            ["run", "-f", "\(folder)/\(file)", "--lease-seconds", "2"] + (phase.map { ["--phase", $0] } ?? []),
            environment: ["SLUICE_DATABASE_URL": url], within: .seconds(30))
    }

    /// To the phase that it names itself, unless it is said.
    func run(_ file: String, to phase: String? = nil, on url: String) async throws {
        let output = try await attempt(file, to: phase, on: url)
        guard output.status == 0 else {
            throw TestFailure("\(file) to \(phase ?? "its phase"): \(output.standardOutput)\(output.standardError)")
        }
    }

    /// What pg_dump says of all that is not Sluice's, without what differs from one run of it to the next.
    static func structure(_ url: String) async throws -> String {
        try await Program.output("pg_dump", ["--schema-only", "--exclude-schema=sluice", url])
            .split(separator: "\n").filter { !$0.hasPrefix("\\") && !$0.hasPrefix("--") }.joined(separator: "\n")
    }
}

/// What `sluice import` printed, which wrote manifests of `files` into `folder`.
func importing(_ format: String, _ files: [String], to folder: String) async throws -> Program.Output {
    let output = try await Program.run(TestServers.sluice, ["import", format] + files + ["-o", folder])
    guard output.status == 0 else { throw TestFailure("import: \(output)") }
    return output
}

/// Lends an empty folder to `body`, and removes it.
func withFolder(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.path + "/" + uniqueName("import")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await body(folder)
}
