internal import Foundation
internal import Subprocess
internal import SystemPackage

extension CredentialPlugin {
    /// How much of what it says on standard error is in the message of a failure, in bytes.
    private static let mostWords = 500
    /// How much it may print, in bytes.
    private static let mostOutput = 1 << 20

    private struct Ended: Sendable {
        var status: TerminationStatus
        var output: [UInt8]
        var words: [UInt8]
    }

    /// Runs it once. It is asked to stop, and a second later killed, with all that it started, when the time is over or the
    /// task is cancelled.
    ///
    /// - Throws: ``KubernetesError`` with the code `credentialPlugin`, or `cancelled`.
    @concurrent
    func run() async throws(KubernetesError) -> ExecCredential {
        let ended: Ended
        do {
            guard let inTime = try await withinTimeout() else {
                throw failure("did not end within \(timeout) and was killed")
            }
            ended = inTime
        } catch let error as KubernetesError {
            throw error
        } catch let error as SubprocessError {
            guard !Task.isCancelled else { throw KubernetesError.cancelled }
            switch error.code {
            case .executableNotFound: throw failure("was not found")
            case .outputLimitExceeded: throw failure("printed more than \(Self.mostOutput >> 20) MB")
            default: throw failure("could not be run: \(error)")
            }
        } catch {
            guard !Task.isCancelled else { throw KubernetesError.cancelled }
            throw failure("could not be run: \(error)")
        }
        guard !Task.isCancelled else { throw KubernetesError.cancelled }
        guard ended.status.isSuccess else { throw failure(Self.text(ended)) }
        return try ExecCredential(parsing: ended.output, of: self)
    }

    /// Nil when the time was over first.
    private func withinTimeout() async throws -> Ended? {
        try await withThrowingTaskGroup(of: Ended?.self) { group in
            group.addTask { try await start() }
            group.addTask {
                try await Task.sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    private func start() async throws -> Ended {
        var options = PlatformOptions()
        // A session of its own: signals reach what it started as well, and not us.
        options.createSession = true
        options.teardownSequence = [.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: .seconds(1))]
        var variables: [Environment.Key: String?] = ["KUBERNETES_EXEC_INFO": information.text]
        for (name, value) in environment {
            if let key = Environment.Key(rawValue: name) { variables[key] = value }
        }
        let result = try await Subprocess.run(
            command.contains("/") ? .path(FilePath(command)) : .name(command), arguments: Arguments(arguments),
            environment: .inherit.updating(variables), platformOptions: options, input: .none,
            output: .bytes(limit: Self.mostOutput), error: .sequence
        ) { execution in
            var words: [UInt8] = []
            // Read to its end, so that a plugin with much to say is not held up.
            for try await piece in execution.standardError {
                let room = Self.mostWords - words.count
                if room > 0 { piece.withUnsafeBytes { words += $0.prefix(room) } }
            }
            return words
        }
        return Ended(status: result.terminationStatus, output: result.standardOutput, words: result.closureResult)
    }

    private static func text(_ ended: Ended) -> String {
        let words = String(decoding: ended.words, as: UTF8.self).trimmed
        let end =
            switch ended.status {
            case .exited(let code): "ended with exit code \(code)"
            case .signaled(let signal): "was ended by signal \(signal)"
            }
        return words.isEmpty ? end : "\(end): \(words)"
    }
}
