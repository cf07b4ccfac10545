import KubernetesClient
import Logging
import Synchronization
import Testing

@testable import MigrationOperator

@Suite("The first round of a new leader")
struct FirstRoundTests {
    /// The lines of a log.
    private final class Lines: LogHandler, Sendable {
        let lines = Mutex<[String]>([])
        var metadata: Logger.Metadata {
            get { [:] }
            set {}
        }
        var logLevel: Logger.Level {
            get { .info }
            set {}
        }

        subscript(metadataKey _: String) -> Logger.Metadata.Value? {
            get { nil }
            set {}
        }

        func log(event: LogEvent) {
            lines.withLock { $0.append("\(event.message) \(event.metadata?["migrations"] ?? "")") }
        }
    }

    @Test("is told once, when each that was listed has been looked at")
    func round() {
        let log = Lines()
        let round = FirstRound(logger: Logger(label: "test") { _ in log })
        let keys = ["a", "b"].map { ObjectKey($0, in: "shop") }
        round.looked(at: keys[0])
        round.begin(with: keys)
        round.looked(at: keys[0])
        round.looked(at: keys[0])
        round.looked(at: ObjectKey("c", in: "shop"))
        #expect(log.lines.withLock { $0 } == [])
        round.looked(at: keys[1])
        round.looked(at: keys[1])
        #expect(log.lines.withLock { $0 } == ["looked at every Migration that was listed 2"])
    }

    @Test("is over at once where there are none")
    func none() {
        let log = Lines()
        FirstRound(logger: Logger(label: "test") { _ in log }).begin(with: [])
        #expect(log.lines.withLock { $0 } == ["looked at every Migration that was listed 0"])
    }
}
